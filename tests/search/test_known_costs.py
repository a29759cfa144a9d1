"""What is known of a configuration reaches the samplers that can use it, and limits those that cannot."""

import pytest

from mlptune.search import Space, sampler
from mlptune.search.known_costs import KnownCosts
from mlptune.search.samplers.limited import LimitedSampler

SPACE = Space.parse({"x": {"low": 0.0, "high": 1.0}})


def test_only_limits_stand_around_a_sampler():
    free = KnownCosts(lambda point: (), lambda point: True)
    limited = KnownCosts(lambda point: (), lambda point: point["x"] < 0.5, limited=True)
    for name in ("random", "tpe", "auto", "genetic", "NSGAIISampler"):
        assert not isinstance(sampler(name, space=SPACE, known_costs=free), LimitedSampler)
        assert isinstance(sampler(name, space=SPACE, known_costs=limited), LimitedSampler)
    with pytest.raises(ValueError, match="limits need space="):
        sampler("random", known_costs=limited)
