"""Every type of toxic there is, named in one place."""

import difflib

from fault_injectors.toxics.attributes import Attributes
from fault_injectors.toxics.bandwidth import Bandwidth
from fault_injectors.toxics.latency import Latency
from fault_injectors.toxics.limit_data import LimitData
from fault_injectors.toxics.noop import Noop
from fault_injectors.toxics.reset_peer import ResetPeer
from fault_injectors.toxics.slicer import Slicer
from fault_injectors.toxics.slow_close import SlowClose
from fault_injectors.toxics.timeout import Timeout
from fault_injectors.toxics.toxic import Behaviour

BEHAVIOURS: tuple[type[Behaviour], ...] = (
    Latency,
    Bandwidth,
    SlowClose,
    Timeout,
    ResetPeer,
    Slicer,
    LimitData,
    Noop,
)


def find_behaviour(toxic_type: str) -> type[Behaviour] | None:
    """Return the class of a type of toxic by the API's name, or None."""
    for behaviour in BEHAVIOURS:
        if behaviour.toxic_type == toxic_type:
            return behaviour
    return None


def behaviour_from(toxic_type: str, attributes: Attributes) -> Behaviour:
    """Return the behaviour that an API type and its attributes describe.

    Raises:
        ValueError: If the type or an attribute is not known, or a value cannot be meant.

    >>> behaviour_from("latency", {"latency": 200, "jitter": 20})
    Latency(delay_s=0.2, jitter_s=0.02)
    """
    behaviour = find_behaviour(toxic_type)
    if behaviour is None:
        known = [each.toxic_type for each in BEHAVIOURS]
        raise ValueError(f"toxic type {toxic_type!r} is not known; {suggestion(toxic_type, known)}")
    for name in attributes:
        if name not in behaviour.attribute_names:
            hint = suggestion(name, behaviour.attribute_names)
            raise ValueError(f"toxic type {toxic_type!r} has no attribute {name!r}; {hint}")
    return behaviour.from_attributes(attributes)


def suggestion(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return what was probably meant by `word`, or all that could have been.

    >>> suggestion("latencey", ["latency", "jitter"])
    "did you mean 'latency'?"
    """
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"expected {' or '.join(map(repr, known))}" if known else "it has none"
