"""One coordinator per launch: which process holds it, whether that one is alive, and how exactly one other takes it over.

A holder is written as a numbered claim on the launch's run. Claim 1 is made with the run; every later one is a param, and since
MLflow refuses a second, different value for a param, one wins of all that claim the same number. A holder that ends gives its
claim back. The process table tells whether a holder on this host is alive; elsewhere its heartbeat does, a tag that
changes as long as it is alive. Clocks are never compared: what counts is whether the tag changes while another process waits.
"""

import json
import os
import platform
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import launch_tags, reader, schema
from .store.errors import StoreError, client_errors

HEARTBEAT_SECONDS = 10.0
LEASE_SECONDS = 30.0
# A holder that was asleep for longer than this checks that the launch is still its own before it writes again.
_UNSURE_SECONDS = 20.0
_POLL_SECONDS = 2.0

_open_tokens: set[str] = set()


class LeaseLost(StoreError):
    """Another process has taken the launch over, or it was deleted; the message says which. Nothing may be written any more."""


class HeldElsewhere(ValueError):
    """The launch is being run by another process, which the message names."""


@dataclass(frozen=True)
class Holder:
    """A coordinator.

    `started` distinguishes its process from a later one of the same number, `boot` its host from a namesake, `token` the
    coordinator from others of the same process, in a notebook for instance.
    """

    host: str
    process: int
    started: str
    boot: str
    token: str

    def __str__(self) -> str:
        return f"{self.host} process {self.process}"

    def is_alive(self) -> bool | None:
        """Whether the holder is still running; None where this host cannot know."""
        if (self.host, self.boot) != (platform.node(), _boot()):
            return None
        if self.process == os.getpid() and self.started == _started(self.process):
            return self.token in _open_tokens
        return self.started == _started(self.process)


def register_holder() -> Holder:
    """Return a holder for a coordinator in this process, which is alive until `unregister_holder` or the end of the process."""
    process = os.getpid()
    holder = Holder(platform.node(), process, _started(process) or "", _boot(), secrets.token_hex(8))
    _open_tokens.add(holder.token)
    return holder


def unregister_holder(holder: Holder) -> None:
    """Note that the coordinator has ended, for others in this process."""
    _open_tokens.discard(holder.token)


def text(holder: Holder) -> str:
    """The holder as it is stored."""
    return json.dumps(asdict(holder))


@dataclass(frozen=True)
class Lease:
    """What the run of a launch has about its holder. Launches of versions without claims have number 1 and no holder.

    Attributes:
        number: The number of the latest claim.
        holder: Its holder.
        name: The holder as users read it.
        free: Whether the claim was given back.
        heartbeat: The latest heartbeat.
    """

    number: int
    holder: Holder | None
    name: str
    free: bool
    heartbeat: str | None


def lease_of(run: Any) -> Lease:
    """The lease of a launch, from its MLflow run."""
    tags, params = launch_tags.tags_of(run), run.data.params
    later = [int(key.rpartition(".")[2]) for key in params if _is_claim(key)]
    number = max(later, default=1)
    stored = params[f"{schema.CLAIM}.{number}"] if later else tags.get(schema.CLAIM)
    holder = Holder(**json.loads(stored)) if stored else None
    return Lease(
        number=number,
        holder=holder,
        name=str(holder or tags.get(schema.HOLDER) or "an unknown process"),
        # A version without claims also ended its launches.
        free=tags.get(schema.RELEASED) == str(number)
        or (schema.RELEASED not in tags and not later and run.info.status != "RUNNING"),
        heartbeat=tags.get(schema.HEARTBEAT),
    )


def _is_claim(key: str) -> bool:
    prefix, _, number = key.rpartition(".")
    return prefix == schema.CLAIM and number.isdigit()


def claim(client: Any, run_id: str, number: int, holder: Holder) -> None:
    """Take the launch as the holder of claim `number`. Raises HeldElsewhere if another was quicker."""
    key = f"{schema.CLAIM}.{number}"
    try:
        client.log_param(run_id, key, text(holder))
    except client_errors():
        # Refused, or the answer was lost: what is stored decides.
        stored = client.get_run(run_id).data.params.get(key)
        if stored is None:
            raise
        if stored != text(holder):
            raise HeldElsewhere(f"{Holder(**json.loads(stored))} has just taken it up") from None


def wait_until_free(uri: str, name: str, run_id: str, say: Callable[[str], None]) -> int:
    """Wait until no process runs the launch of the sweep `name`; return the number of its last claim.

    A holder on this host is judged at once; one elsewhere must leave its heartbeat unchanged for LEASE_SECONDS, which `say`
    counts down. Raises HeldElsewhere if it is alive.
    """
    first = lease = lease_of(reader.launch_run(uri, run_id))
    held = HeldElsewhere(f"the sweep {name!r} is being run by {lease.name}")
    began = time.monotonic()
    say_at = LEASE_SECONDS + _POLL_SECONDS
    while not lease.free:
        alive = lease.holder.is_alive() if lease.holder else None
        if alive is False:
            break
        if alive or (lease.number, lease.heartbeat) != (first.number, first.heartbeat):
            raise held
        left = LEASE_SECONDS - (time.monotonic() - began)
        if left <= 0:
            break
        if left <= say_at:
            say(
                f"the sweep {name!r} was last run by {lease.name}; unless that is still alive, it is taken over in {left:.0f} s"
            )
            say_at = left - LEASE_SECONDS / 3
        time.sleep(min(_POLL_SECONDS, left))
        lease = lease_of(reader.launch_run(uri, run_id))
    return lease.number


class Heartbeat:
    """Changes the heartbeat tag in a thread of its own while a launch is held, and checks each time that it still is.

    Attributes:
        requests: The tags by which others ask something of the launch's process, as they were last seen.
    """

    def __init__(self, client: Any, run_id: str, number: int) -> None:
        self._client = client
        self._run_id = run_id
        self._number = number
        self._count = 0
        self.requests: dict[str, str] = {}
        self._seen = _clocks()
        self._lost: LeaseLost | None = None
        self._stopped = threading.Event()
        threading.Thread(target=self._beat, name="mlptune-heartbeat", daemon=True).start()

    def check(self) -> None:
        """Raise LeaseLost if the launch is not held any more, as far as that is known without asking the store each time."""
        if self._lost is None and _longest_since(self._seen) > _UNSURE_SECONDS:
            self._look()
        if self._lost is not None:
            raise self._lost

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS) and self._lost is None:
            try:
                self._look()
                if self._lost is None:
                    self._count += 1
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    self._client.set_tag(
                        self._run_id, schema.HEARTBEAT, f"{now} claim {self._number} beat {self._count}"
                    )
            except Exception as error:
                if not isinstance(error, (*client_errors(), OSError)):
                    raise
                continue  # the store is away, which the writer finds out for itself

    def _look(self) -> None:
        run = self._client.get_run(self._run_id)
        found = lease_of(run)
        if run.info.lifecycle_stage == "deleted":
            self._lost = LeaseLost(
                "the launch was deleted in MLflow, so this sweep stops; restore its run "
                f"{self._run_id} there and continue with --resume, or start again"
            )
        elif found.number != self._number:
            self._lost = LeaseLost(
                f"{found.name} has taken this sweep over; this one stops, what it has committed stays"
            )
        self.requests = requests_in(run.data.tags)
        self._seen = _clocks()


def requests_in(tags: Mapping[str, str]) -> dict[str, str]:
    """Of a launch's tags those that ask something of its process."""
    return {
        key: value
        for key, value in tags.items()
        if key == schema.STOP_REQUEST or key.startswith(f"{schema.TRY_REQUEST}.")
    }


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.time()


def _longest_since(then: tuple[float, float]) -> float:
    """Seconds by the clock that went further: one stands still while a laptop sleeps, the other can be set back."""
    return max(now - before for now, before in zip(_clocks(), then, strict=True))


def _boot() -> str:
    """What distinguishes this host and its process table from a namesake (a container, a clone); "" where nothing does."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(process: int) -> str | None:
    """When a process of this host began, in whatever unit the system has; None if there is no such process, or a zombie."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    state, _, when = shown.stdout.strip().partition(" ")
    return None if not when or state.startswith("Z") else when.strip()
