"""Random numbers by name: every draw is a function of the seed and of its purpose, so there is no generator state to lose.

A sampler that drew from one generator would propose other points after a resume, or with another batch size. A hash of
(seed, words) has no state; BLAKE2b (RFC 7693) makes even neighbouring seeds and trial numbers independent.
"""

import json
from hashlib import blake2b


def derive(seed: int, *words: int | str) -> int:
    """An integer in [0, 2**64) that depends on the seed and the words alone, on every machine and version."""
    text = json.dumps([seed, *words], separators=(",", ":"))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def derive32(seed: int, *words: int | str) -> int:
    """The same in [0, 2**32), the seeds that `numpy.random.RandomState` takes."""
    return derive(seed, *words) >> 32


def uniform(seed: int, *words: int | str) -> float:
    """A number in [0, 1) with 53 random bits."""
    return (derive(seed, *words) >> 11) * 2.0**-53
