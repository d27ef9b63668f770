"""A clock that a test moves by hand; `sleep` moves it too."""


class FakeClock:
    """Satisfies `shadow_atlas.clock.Clock` and `resilience.Clock` without waiting."""

    def __init__(self, *, now_s: float = 1_000.0, wall_s: float = 1_700_000_000.0) -> None:
        self.now_s = now_s
        self.wall_s = wall_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        self.wall_s += seconds

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)

    def wall(self) -> float:
        return self.wall_s

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
