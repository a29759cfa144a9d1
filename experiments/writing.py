"""Around what writes a file that the user has named: what the system refuses is said in one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import UserError, reason

# What is no slip of the user's, or has its own words: see `exit_status`.
_SAID_BY_EXIT_STATUS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG)


@contextmanager
def writing(shown: object) -> Iterator[None]:
    """Turn an error of the system into a UserError that begins with `shown`, the file as the user wrote it."""
    try:
        yield
    except PermissionError:
        raise UserError(f"{shown}: no permission to write there") from None
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _SAID_BY_EXIT_STATUS:
            raise
        raise UserError(f"{shown}: cannot be written: {reason(error)}") from None
