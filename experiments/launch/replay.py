"""Resume: committed trials answer from the record, all others from the engine.

A resumed sweep runs the same loop from its start. The searcher is asked for the same batches, so it comes to the state that it
had; a trial that was committed is not trained again: its recorded curve is replayed. None of the searcher's state has to be stored.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...search.spaces.layers import configuration
from ..errors import UserError
from ..execution.evaluation import EndedTrial, Evaluator, Outcome, Request


class Replay:
    """An evaluator that replays committed trials and passes the others on.

    Args:
        evaluator: Trains the others.
        committed: The committed trials, by number.
        fixed: The hyperparameters that all trials share.
    """

    def __init__(self, evaluator: Evaluator, committed: Mapping[int, EndedTrial], fixed: Mapping[str, Any]) -> None:
        self._evaluator = evaluator
        self._committed = committed
        self._fixed = fixed
        self._played: dict[int, int] = {}

    @property
    def objective_key(self) -> str:
        return self._evaluator.objective_key

    def forget(self, number: int) -> None:
        if number not in self._committed:
            self._evaluator.forget(number)

    def advance(
        self, requests: Sequence[Request], deadline: float | None = None, *, until_one: bool = False
    ) -> Iterable[Outcome]:
        fresh = [request for request in requests if request.number not in self._committed]
        yield from self._play(request for request in requests if request.number in self._committed)
        if fresh:
            limit: dict[str, Any] = {} if deadline is None else {"deadline": deadline, "until_one": until_one}
            yield from self._evaluator.advance(fresh, **limit)

    def conclude(self, number: int) -> Outcome | None:
        """See `Evaluator.conclude`; of a committed trial the record says what it came to."""
        committed = self._committed.get(number)
        if committed is None:
            return self._evaluator.conclude(number)
        return _end_of(committed) if committed.record.behind or committed.record.state == "complete" else None

    def _play(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        for request in requests:
            committed = self._committed[request.number]
            trial = committed.record
            if request.number not in self._played:
                _check_same(request, configuration(trial.params, self._fixed))
            if request.networks is not None and request.networks <= len(trial.values):
                yield Outcome(request.number, 1, values=trial.values[: request.networks])
                continue
            if trial.behind:
                yield _end_of(committed)
                continue
            reported = self._played.get(request.number, 0)
            reached = self._played[request.number] = min(request.until, trial.epochs)
            curves = {key: values[reported:reached] for key, values in committed.curves.items()}
            judged = trial.curve[reported:reached] if trial.curve else None
            # A trial that a scheduler stopped had not ended by itself: the scheduler will stop it again, at the same rung.
            at_end = request.until > trial.epochs or (reached == trial.epochs and trial.state == "complete")
            if trial.state == "failed":
                ended = "failed" if at_end or trial.epochs == 0 else None
            elif trial.diverged:
                ended = "diverged" if request.until > trial.epochs else None
            else:
                ended = "finished" if trial.state == "complete" and at_end else None
            if ended == "finished":
                yield replace(_end_of(committed), first_epoch=reported + 1, curves=curves, judged=judged)
            else:
                reason, values = (trial.reason, trial.values) if ended else (None, ())
                yield Outcome(
                    request.number, reported + 1, curves, ended=ended, reason=reason, values=values, judged=judged
                )


def _end_of(committed: EndedTrial) -> Outcome:
    """The end of a trial that is complete or behind, with its curves from epoch 1."""
    trial = committed.record
    return Outcome(
        trial.number,
        1,
        committed.curves,
        ended="behind" if trial.behind else "finished",
        value=trial.value,
        spread=trial.spread,
        best_epochs=trial.best_epochs,
        values=trial.values,
        reason=trial.reason,
        predictions=committed.predictions,
        crossfit=committed.crossfit,
        judged=trial.curve or None,
    )


def _check_same(request: Request, stored: Mapping[str, Any]) -> None:
    """Raise UserError if the searcher proposes something other than was recorded, as another version of it may."""
    proposed = json.loads(json.dumps(request.configuration))
    recorded = json.loads(json.dumps(stored))
    for key in sorted({*proposed, *recorded}):
        if proposed.get(key) != recorded.get(key):
            raise UserError(
                f"--resume: trial {request.number} was begun with {key} = {json.dumps(recorded.get(key))} and would now be "
                f"proposed with {json.dumps(proposed.get(key))}: another version began this sweep; start again under another name"
            )
