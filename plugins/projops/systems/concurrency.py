"""How many requests are worth sending at once: a window that follows hints, refusals and latency.

Additive increase, multiplicative decrease, as TCP does it: one more for each round of quick answers,
half of it after a refusal (429, 503), a fifth less when answers become clearly slower than they
used to be. Values only; `admission` waits by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

START = 4.0
_AFTER_REFUSAL = 0.5
_WHEN_SLOW = 0.8
_CLEARLY_SLOWER = 2.0
# A difference that nobody would notice is no sign of load.
_LEAST_RISE = 0.05
_LATELY, _USUALLY = 0.3, 0.05


@dataclass(frozen=True, slots=True)
class Latency:
    """How long requests of one sort take, in seconds.

    Attributes:
        lately: Moving average over the last few answers.
        usually: The same over many more: what `lately` is compared with.
    """

    lately: float
    usually: float

    def after(self, seconds: float) -> "Latency":
        """Take one more answer into account."""
        return Latency(
            self.lately + _LATELY * (seconds - self.lately),
            self.usually + _USUALLY * (seconds - self.usually),
        )

    @property
    def risen(self) -> bool:
        """Whether answers have become clearly slower."""
        return self.lately > max(_CLEARLY_SLOWER * self.usually, self.usually + _LEAST_RISE)


@dataclass(frozen=True, slots=True)
class Window:
    """How many requests may be under way at once.

    Attributes:
        most: Documented or configured limit of concurrent requests.
        hint: What the system recommends (`x-ms-dop-hint` [D]); more makes things slower.
        size: The window, with the fraction that it has grown by.
        latencies: By sort of request: what is slow for one is quick for another.
        settling: Answers to come that were under way at the last decrease: they tell nothing of it.
    """

    most: int
    hint: int | None = None
    size: float = START
    latencies: Mapping[str, Latency] = field(default_factory=dict)
    settling: int = 0

    @property
    def limit(self) -> int:
        """Requests that may be under way at once, at least one."""
        return max(int(min(self.size, self._ceiling)), 1)

    @property
    def _ceiling(self) -> int:
        return self.most if self.hint is None else min(self.most, self.hint)

    def hinted(self, hint: int) -> "Window":
        """Follow the system's hint."""
        return replace(self, hint=max(hint, 1))

    def answered(self, sort: str, seconds: float, under_way: int) -> "Window":
        """Take an answer into account.

        Args:
            sort: Requests that take about as long as each other, such as those of one address.
            seconds: How long it took.
            under_way: Requests under way when it came, itself included. A window that is not made
                use of does not grow.
        """
        known = self.latencies.get(sort)
        latency = Latency(seconds, seconds) if known is None else known.after(seconds)
        seen = replace(self, latencies={**self.latencies, sort: latency}, settling=max(self.settling - 1, 0))
        if latency.risen and seen.settling == 0:
            return seen._shrunk(_WHEN_SLOW, under_way - 1)
        if not latency.risen and under_way >= seen.limit:
            return replace(seen, size=min(seen.size + 1 / seen.limit, float(seen._ceiling)))
        return seen

    def refused(self, under_way: int) -> "Window":
        """Take a refusal (429, 503) into account: once for all that were under way together.

        Args:
            under_way: Requests still under way when it came, itself not included.
        """
        if self.settling > 0:
            return replace(self, settling=self.settling - 1)
        return self._shrunk(_AFTER_REFUSAL, under_way)

    def _shrunk(self, factor: float, settling: int) -> "Window":
        return replace(self, size=max(self.limit * factor, 1.0), settling=settling)
