"""Let a test make calls inside a service go wrong, over token-protected endpoints.

Without the token, with a wrong one, or from another host, the endpoints do not exist: 404, like
any unknown path.
"""

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, ValidationError

from resilience import ChaosFault, ChaosFaultInjector
from shadow_atlas.answers import Refusal
from shadow_atlas.chaos_access import require_chaos_access


class FaultDocument(BaseModel):
    """What `POST /chaos/faults` takes; the injector checks the ranges.

    Attributes:
        fault: Which of the six faults.
        enabled: False keeps the settings and lets calls pass.
        probability: Share of calls that it acts on.
        fail_first: Act on the first so many attempts of each call instead.
        error: Name of an errno, or a message.
        delay_s: How long it delays or hangs, seconds.
        status: Status of the upstream's answer.
        size_bytes: Bytes that it damages or holds.
        cpu_s: Processor time that it burns, seconds.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    fault: str
    enabled: bool = True
    probability: float | None = None
    fail_first: int | None = None
    error: str | None = None
    delay_s: float | None = None
    status: int | None = None
    size_bytes: int | None = None
    cpu_s: float | None = None


@dataclass(slots=True)
class ActiveFaults:
    """The faults that are in force, and how often each has acted since it was set.

    Args:
        injector: Makes the calls go wrong.
    """

    injector: ChaosFaultInjector
    _acted_before: dict[ChaosFault, int] = field(default_factory=dict)

    def set(self, document: FaultDocument) -> str:
        """Put a fault in force and return its name.

        Raises:
            ValueError: If there is no such fault, or a setting is out of range.
        """
        fault = ChaosFault(document.fault)
        settings = document.model_dump(exclude={"fault"}, exclude_none=True)
        self.injector.configure(fault, **settings)
        self._acted_before[fault] = self.injector.counts()[fault]
        return fault.value

    def lift(self, fault: ChaosFault) -> None:
        """Let calls pass again; of no effect on a fault that is not in force."""
        self.injector.configure(fault, enabled=False)
        self._acted_before.pop(fault, None)

    def lift_all(self) -> int:
        """Let all calls pass again; return how many faults were in force."""
        count = len(self._acted_before)
        self.injector.clear()
        self._acted_before.clear()
        return count

    def listing(self) -> list[dict[str, Any]]:
        """Return name and count of each fault in force, in the order of their setting."""
        counts = self.injector.counts()
        return [
            {"name": fault.value, "acted": counts[fault] - before}
            for fault, before in self._acted_before.items()
        ]


def chaos_router(injector: ChaosFaultInjector, *, token: str | None) -> APIRouter:
    """Build the endpoints `/chaos/faults`: POST sets a fault, GET lists, DELETE lifts."""
    router = APIRouter(prefix="/chaos/faults")
    active = ActiveFaults(injector)

    @router.post("", status_code=201)
    async def set_fault(request: Request) -> dict[str, str]:
        require_chaos_access(request, token=token)
        try:
            return {"name": active.set(FaultDocument.model_validate_json(await request.body()))}
        except ValidationError as error:
            raise _rejection(_problems(error)) from error
        except ValueError as error:
            raise _rejection(str(error)) from error

    @router.get("")
    async def list_faults(request: Request) -> dict[str, list[dict[str, Any]]]:
        require_chaos_access(request, token=token)
        return {"active": active.listing()}

    @router.delete("")
    async def lift_all(request: Request) -> dict[str, int]:
        require_chaos_access(request, token=token)
        return {"lifted": active.lift_all()}

    @router.delete("/{name}")
    async def lift(request: Request, name: str) -> dict[str, int]:
        require_chaos_access(request, token=token)
        try:
            active.lift(ChaosFault(name))
        except ValueError as error:
            raise Refusal(status=404, code="NOT_FOUND", message=str(error)) from error
        return {"lifted": 1}

    return router


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'body'}: {problem['msg']}"
        for problem in error.errors(include_url=False)
    )


def _rejection(message: str) -> Refusal:
    return Refusal(status=400, code="FAULT_REJECTED", message=message)
