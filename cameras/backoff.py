"""Pauses between attempts: longer each time, never in step with others."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Exponential pauses with jitter.

    Attributes:
        first_s: The first pause.
        last_s: The longest pause.
        jitter: Each pause is this share longer or shorter at random, 0-1.
    """

    first_s: float
    last_s: float
    jitter: float = 0.25
    _next_s: float = field(default=0.0, init=False)

    def next(self) -> float:
        """Seconds to wait now."""
        pause = max(self._next_s, self.first_s)
        self._next_s = min(pause * 2, self.last_s)
        # Jitter spreads retries; it protects nothing, so any generator will do.
        return min(pause, self.last_s) * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311

    def reset(self) -> None:
        """It worked: start again with the first pause."""
        self._next_s = 0.0
