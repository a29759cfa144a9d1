"""A space of architectures, and random points of it as codes and as values."""

from hypothesis import strategies as st

from mlptune.search import Space
from mlptune.search.surrogate.features import Features

TABLE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "layers": {"low": 1, "high": 4},
    **{f"units_{i}": {"low": 8, "high": 256, "log": True} for i in range(1, 5)},
    **{f"activation_{i}": ["relu", "tanh", "silu"] for i in range(1, 5)},
    "batch_size": [16, 32, 64],
}


SPACE = Space.parse(TABLE)


FEATURES = Features(SPACE.distributions, SPACE)


SEEDS = st.integers(0, 2**32 - 1)


def draw(generator):
    return FEATURES.from_unit_cube(generator.random((1, len(FEATURES.axes))))[0]


def point(codes):
    values = FEATURES.decode(codes)
    return {name: values[name] for name, here in zip(SPACE.names, FEATURES.active(codes), strict=True) if here}
