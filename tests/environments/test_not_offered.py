"""A capability that an environment lacks refuses its acts by name."""

import pytest

from harness.environments import not_offered
from harness.model.errors import FaultNotApplied


def test_an_act_is_refused_with_its_name():
    with pytest.raises(FaultNotApplied, match=r"no control over wall clocks: no 'skew'"):
        not_offered.CLOCKS.skew("api", offset_s=60)
