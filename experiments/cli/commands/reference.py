"""`params`, `methods` and `metrics`: the reference, printed from the tables that the program runs on."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from .. import completion
from ..app import Json, app, write


@app.command(short_help="Explain the hyperparameters of [model] and [space].")
def params(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A hyperparameter; else all of them.", autocompletion=completion.params),
    ] = None,
    json: Json = False,
) -> None:
    """Explain the hyperparameters of [model] and [space]: values, defaults, meaning.

    \b
    mlptune params
    mlptune params learning_rate
    mlptune params activation --json
    """
    from ... import reference
    from .. import reference as text

    if name is None:
        _explain(reference.parameters(), json, text.parameters_text)
    else:
        _explain(reference.parameter(name), json, text.parameter_text)


@app.command(short_help="Explain the search methods and pruners.")
def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A method, a pruner or a sampler; else all of them.", autocompletion=completion.methods
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Explain the search methods and pruners, and their options.

    \b
    mlptune methods
    mlptune methods hyperband
    mlptune methods tpe --json
    """
    from ... import reference
    from .. import reference as text

    if name is None:
        _explain(reference.methods(), json, lambda found, width: text.methods_text(found, reference.pruners(), width))
    else:
        _explain(reference.method(name), json, text.method_text)


@app.command(short_help="Explain what a sweep can be judged by.")
def metrics(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A metric; else all of them.", autocompletion=completion.metrics),
    ] = None,
    json: Json = False,
) -> None:
    """Explain what a sweep can be judged by, metrics of installed packages too.

    \b
    mlptune metrics
    mlptune metrics balanced_accuracy
    mlptune metrics --json
    """
    from ... import reference
    from .. import reference as text

    if name is None:
        _explain(reference.metrics(), json, text.metrics_text)
    else:
        _explain(reference.metric(name), json, lambda found, width: text.metrics_text([found], width))


def _explain(found: Any, json: bool, text: Callable[[Any, int], str]) -> None:
    """Print rows of the reference: as JSON, or as `text` makes them for the terminal's width."""
    from ..present import strict_json
    from ..wrapped import text_width

    write(strict_json(found) if json else text(found, text_width()))
