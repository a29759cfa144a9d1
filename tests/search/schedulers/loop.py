"""The coordinator's loop over a scheduler, on learning curves that cost nothing."""

import random

import optuna

from mlptune.search import Continue, Pause, Progress, Stop, scheduler


def quality(number, seed=0):
    return random.Random(f"{seed} {number}").random()


def curve(number, epoch, seed=0):
    """The better trial is the better at each epoch."""
    return quality(number, seed) * (1 - 0.5**epoch)


def run(name, epochs, total, batch, *, curve=curve, ends=None, direction="maximize", pruner=None, **options):
    """The coordinator's loop, on curves: the epochs that each trial trained. `ends` are trials that diverge."""
    study = optuna.create_study(direction=direction, pruner=pruner)
    rule = scheduler(name, study, epochs, **options)
    live, at, trained = {}, {}, {}

    def train(decide):
        while live:
            shown = [Progress(n, t, at[n], tuple(curve(n, e) for e in range(1, at[n] + 1))) for n, t in live.items()]
            moving = False
            for progress, decision in zip(shown, decide(shown), strict=True):
                number = progress.number
                if isinstance(decision, Continue):
                    assert at[number] < decision.until <= epochs
                    for epoch in range(at[number] + 1, decision.until + 1):
                        if (value := curve(number, epoch)) is not None:
                            progress.trial.report(value, epoch)
                    at[number], moving = decision.until, True
                elif isinstance(decision, Stop):
                    trained[number] = at[number]
                    study.tell(live.pop(number), state=optuna.trial.TrialState.PRUNED)
                else:
                    assert isinstance(decision, Pause)
            for number in [n for n in live if at[n] == epochs or (at[n] >= (ends or {}).get(n, epochs))]:
                trained[number] = at[number]
                done = at[number] == epochs
                state = optuna.trial.TrialState.COMPLETE if done else optuna.trial.TrialState.PRUNED
                study.tell(live.pop(number), curve(number, epochs) if done else None, state=state)
            if not moving:
                return

    asked = 0
    while asked < total:
        for _ in range(min(rule.batch(asked) or batch, total - asked)):
            trial = study.ask()
            live[trial.number], at[trial.number] = trial, 0
            asked += 1
        train(rule.decide)
    train(rule.finish)
    trained.update({n: at[n] for n in live})
    return [trained[n] for n in range(total)]
