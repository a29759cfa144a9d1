"""The errors that reach a person: each kind has its exit status, and each message is one or two clear lines."""


class UserError(ValueError):
    """Wrong usage, sweep file or data: names the place and the rule. Exit status 2."""

    exit_status = 2


class SweepFailed(RuntimeError):
    """The sweep could not give a result, for instance because every trial failed. Exit status 1."""

    exit_status = 1


class ExecutorLost(SweepFailed):
    """Whoever trained takes no more jobs; what is committed stays, and `--resume` continues with this or another executor."""


class Interrupted(KeyboardInterrupt):
    """The person stopped the sweep; what is committed stays, and `--resume` continues. Exit status 130."""

    exit_status = 130
