"""The protocol of a check: a pure function from a history to a finding."""

from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from harness.model.finding import Finding
from harness.model.history import History

if TYPE_CHECKING:
    from harness.model.scenario import Scenario  # a scenario holds its checks


@runtime_checkable
class Check(Protocol):
    """What must hold of a run; a frozen dataclass whose described fields come from the file."""

    name: ClassVar[str]
    summary: ClassVar[str]

    def judge(self, history: History, scenario: "Scenario") -> Finding:
        """Return what the history says, with its evidence; never raise for what a system did.

        Args:
            history: The whole record of the run.
            scenario: The scenario as it was run, scaled.
        """
        ...
