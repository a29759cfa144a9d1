"""The workers of a Dask cluster as an executor: reached by address, over TLS if it says so, and given the data once."""

import asyncio
import ipaddress
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import UserError
from .external import ExternalExecutor
from .shared import Shared

PROTOCOLS = {"dask": "tcp", "dask+tls": "tls"}
TLS_FILES = {"ca": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
CONNECT_SECONDS = 10


def connect(address: str) -> ExternalExecutor:
    """Connect to the workers of a Dask cluster.

    TLS files come with the address (?ca=...&cert=...&key=...) or from Dask's own configuration. Raises UserError.
    """
    try:
        import dask
        from distributed import Client
        from distributed.security import Security
    except ImportError:
        raise UserError(f"--executor {address}: needs Dask: pip install 'mlptune[dask]'") from None
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    shown = f"--executor {parts.scheme}://{parts.netloc}"
    tls = parts.scheme == "dask+tls"
    for key in options:
        if key not in TLS_FILES or not tls:
            known = f"known are {', '.join(TLS_FILES)}" if tls else "TLS is dask+tls://"
            raise UserError(f"{shown}: unknown option {key!r}; {known}")
        if not os.path.isfile(options[key]):
            raise UserError(f"{shown}: {options[key]}: there is no such file")
    try:
        if not parts.hostname or not parts.port or parts.path not in ("", "/"):
            raise ValueError
    except ValueError:
        raise UserError(f"{shown}: write {parts.scheme}://host:port") from None
    security = None
    if tls:
        security = Security(require_encryption=True, **{TLS_FILES[key]: path for key, path in options.items()})
    # A job carries the state of a whole stack, about whose size Dask would warn.
    quiet: AbstractContextManager[object] = dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
    try:
        with quiet:
            client = Client(
                f"{PROTOCOLS[parts.scheme]}://{parts.hostname}:{parts.port}",
                security=security,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                name="mlptune",
            )
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{shown}: no Dask scheduler answers ({' '.join(str(error).split())[:200]})") from error
    try:
        return from_client(client, shown, close=client.close)
    except BaseException:
        client.close()
        raise


def from_client(client: Any, label: str, close: Callable[[], object] | None) -> ExternalExecutor:
    """The workers that `client` is connected to; `close` ends the connection, None leaves it open. Raises UserError."""
    from .jobs import worker_info

    threads: dict[str, int] = client.nthreads()
    if not threads:
        raise UserError(f"{label}: its scheduler has no workers; start some: dask worker ... --nthreads 1")
    messages = []
    addresses = [urlsplit(address) for address in (client.scheduler.address, *threads)]
    exposed = [address.netloc for address in addresses if address.scheme == "tcp" and not _loopback(address.netloc)]
    if exposed:
        messages.append(
            f"Dask without TLS at {exposed[0]}: anyone who can reach it can read the data and run any code on the cluster and "
            "here; use dask+tls:// unless everyone on that network is trusted"
        )
    if max(threads.values()) > 1:
        messages.append("Dask workers with several threads train slowly: start them with --nthreads 1")
    placed: dict[str, tuple[Any, Any]] = {}

    def place(shared: Shared) -> Any:
        """Scatter the argument once; Dask brings it to each worker that needs it. It is kept here in case all of them die."""
        if shared.key not in placed or placed[shared.key][1].status != "finished":
            [future] = client.scatter([shared.value], broadcast=True, hash=False)
            placed[shared.key] = (shared, future)
        return placed[shared.key][1]

    def gone() -> str | None:
        return None if client.status == "running" else "the connection to its scheduler is lost"

    def handshake() -> dict[str, Any]:
        answers = client.run(worker_info, on_error="return")
        return {f"{label}, worker {worker}": answer for worker, answer in answers.items()}

    return ExternalExecutor(
        _ClientExecutor(client),
        sum(threads.values()),
        label=label,
        close=close,
        place=place,
        gone=gone,
        handshake=handshake,
        messages=tuple(messages),
    )


class _ClientExecutor(Executor):
    """Runs calls on the cluster of a Dask client.

    In place of the client's own executor, whose futures stay pending for ever where a result cannot be fetched: where it was lost
    with its worker, or does not unpickle here.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        # Each call is a task of its own, also one that is like an earlier one: it may be that one's second try.
        task = self._client.submit(fn, *args, **kwargs, pure=False)
        return asyncio.run_coroutine_threadsafe(self._result(task), self._client.loop.asyncio_loop)

    async def _result(self, task: Any) -> Any:
        try:
            return await task
        except asyncio.CancelledError:
            await task.cancel()
            raise


def _loopback(address: str) -> bool:
    host = urlsplit(f"//{address}").hostname or ""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
