"""A plan for the user: what `sweep --dry-run` prints, and the line of `mlptune check`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._text import counted, escape_control_characters, listed
from ..short import time_text, value_text
from .wrapped import hanging, text_width

if TYPE_CHECKING:
    from ..launch.outline import Outline


def plan_line(outline: "Outline") -> str:
    """Return the plan in one line."""
    search, networks = outline.search, outline.networks
    if search["minutes"] is not None:
        many = f"{time_text(60 * search['minutes'])} of trials"
    elif search["epochs_total"] is not None:
        many = f"trials of {counted(search['epochs_total'], 'epoch')} in all"
    else:
        many = counted(search["trials"], "trial")
    return escape_control_characters(
        f"{outline.name}: {many} by {search['method']}, {counted(networks['per_trial'], 'network')} each ({_weights(networks)}), "
        f"{counted(outline.epochs, 'epoch')}, judged by {outline.objective['metric']}; {_time(outline)}"
    )


def plan_text(outline: "Outline", width: int | None = None) -> str:
    """Return the plan as lines of at most `width` characters (the terminal's)."""
    width = text_width() if width is None else width
    parts = list(_parts(outline))
    margin = max(len(head) for head, _ in parts) + 2
    lines = [escape_control_characters(f"{outline.name}: the plan; nothing is trained")]
    for head, text in parts:
        lines += hanging(head.ljust(margin), escape_control_characters(text), width)
    return "\n".join(lines)


def _parts(outline: "Outline") -> Iterator[tuple[str, str]]:
    yield "data", _data(outline.data)
    yield "columns", _columns(outline)
    yield "target", _target(outline.target)
    yield from _named("space", [f"{name}  {range_text(entry)}" for name, entry in outline.space.items()])
    if not outline.space:
        yield "space", "nothing is searched: one configuration is trained"
    yield "fixed", ", ".join(f"{name} = {value_text(value)}" for name, value in outline.fixed.items()) or "nothing"
    yield "search", _search(outline.search)
    networks = outline.networks
    sizes = f"{networks['inputs']} inputs, {counted(networks['outputs'], 'output')}, {_weights(networks)}"
    yield "networks", f"{networks['per_trial']} a trial; {sizes}"
    yield "training", f"{counted(outline.epochs, 'epoch')} at most; batch size {_value_of(outline, 'batch_size')}"
    better = "higher is better" if outline.objective["direction"] == "maximize" else "lower is better"
    yield "judged by", f"{outline.objective['metric']}, {better}"
    if outline.objective.get("counted"):
        yield "", f"{', '.join(outline.objective['counted'])}, lower is better"
    if outline.objective.get("limit"):
        yield "limit", ", ".join(f"{name} {most:,.10g} at most" for name, most in outline.objective["limit"].items())
    yield "model", outline.hands_back
    yield "forecast", _forecast(outline)
    yield from _named("notes", list(outline.notes))


def _named(head: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the texts, the head beside the first."""
    for place, text in enumerate(texts):
        yield ("" if place else head), text


def _data(data: Mapping[str, Any]) -> str:
    parts = f"{data['train']} train, {data['validation']} validate"
    if data["folds"] > 1:
        parts = f"{data['folds']} folds ({parts})"
    without = f", {data['without_target']} without a target" if data["without_target"] else ""
    return f"{data['source']}: {counted(data['rows'], 'row')}{without}; {parts}, {data['test'] or 'none'} test"


def _columns(outline: "Outline") -> str:
    inputs = [column for column in outline.columns if column.kind != "target"]
    left_out = [column.name for column in inputs if not column.used]
    text = f"{len(inputs) - len(left_out)} of {len(inputs)} used, as {counted(outline.networks['inputs'], 'input')}"
    return text + (f"; left out: {listed(left_out)}" if left_out else "")


def _target(target: Mapping[str, Any]) -> str:
    classes = target["classes"]
    many = "" if classes is None else f", {len(classes)} classes ({listed([str(label)[:20] for label in classes], 5)})"
    return f"{target['name']}: {target['task']}{many}; {target['why']}"


def _search(search: Mapping[str, Any]) -> str:
    many = f"{counted(search['trials'], 'trial')}, {search['batch']} at a time"
    if search["epochs_total"] is not None:
        many = f"as many trials as fit {counted(search['epochs_total'], 'epoch')}, {search['trials']} at most"
    if search["minutes"] is not None:
        many = f"as many trials as fit {search['minutes']:g} minutes"
    made = [
        f"{kind} {search[kind]}"
        for kind in ("sampler", "scheduler")
        if search[kind] not in ("pruner", search["method"])
    ]
    made += [f"pruner {search['pruner']}"] if search["pruner"] != "none" else []
    how = f" ({', '.join(made)})" if made else ""
    return f"{search['method']}{how}, {many}"


def range_text(entry: Any) -> str:
    """Return an entry of [space] in short: a range, or its choices."""
    if not isinstance(entry, Mapping):
        return " | ".join(map(value_text, entry))
    if "choices" in entry:
        prior = [f"prior {value_text(entry['prior'])}"] if "prior" in entry else []
        return ", ".join([" | ".join(map(value_text, entry["choices"])), *prior])
    extra = [
        key if value is True else f"{key} {value_text(value)}"
        for key, value in entry.items()
        if key not in ("low", "high")
    ]
    return ", ".join([f"{value_text(entry['low'])} to {value_text(entry['high'])}", *extra])


def _value_of(outline: "Outline", name: str) -> str:
    from ...core.hyperparameters import PARAMETERS

    if name in outline.space:
        return range_text(outline.space[name])
    return value_text(outline.fixed.get(name, PARAMETERS[name].default))


def _weights(networks: Mapping[str, Any]) -> str:
    low, high = networks["smallest"], networks["largest"]
    if low is None or high is None:
        return "weights unknown"
    return f"{low:,} weights" if low == high else f"{low:,} to {high:,} weights"


def _forecast(outline: "Outline") -> str:
    operations = outline.forecast["operations"]
    work = [] if operations is None else [f"{operations:.1e} multiply-adds"]
    return ", ".join([*work, _time(outline), _memory(outline.forecast)])


def _time(outline: "Outline") -> str:
    seconds, workers = outline.forecast["seconds"], counted(outline.forecast["workers"], "worker")
    if outline.search["minutes"] is not None:
        return f"{time_text(seconds)} on {workers}"
    stopped_early = outline.search["scheduler"] != "pruner" or outline.search["pruner"] != "none"
    return f"{_rounded(seconds)} on {workers}{' at most' if stopped_early else ''}"


def _rounded(seconds: float) -> str:
    if seconds < 5:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1 if seconds >= 20 else 0):g} seconds"
    return f"about {counted(round(seconds / 60), 'minute')}" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def _memory(forecast: Mapping[str, Any]) -> str:
    megabytes = forecast["memory_bytes"] / 2**20
    return f"{megabytes / 1024:.1f} GB of memory" if megabytes >= 1000 else f"{round(megabytes, -1):g} MB of memory"
