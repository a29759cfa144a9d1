"""`params`, `methods` and `metrics`: the reference, printed from the tables that the program runs on."""

from typing import Annotated

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
    from ..present import strict_json
    from ..wrapped import terminal_width

    found = reference.parameters() if name is None else reference.parameter(name)
    if json:
        write(strict_json(found))
    elif isinstance(found, list):
        write(text.parameters_text(found, terminal_width()))
    else:
        write(text.parameter_text(found, terminal_width()))


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
    from ..present import strict_json
    from ..wrapped import terminal_width

    found = reference.methods() if name is None else reference.method(name)
    if json:
        write(strict_json(found))
    elif isinstance(found, list):
        write(text.methods_text(found, reference.pruners(), terminal_width()))
    else:
        write(text.method_text(found, terminal_width()))


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
    from ..present import strict_json
    from ..wrapped import terminal_width

    found = reference.metrics() if name is None else reference.metric(name)
    if json:
        write(strict_json(found))
    else:
        write(text.metrics_text(found if isinstance(found, list) else [found], terminal_width()))
