"""Which blend of old and new weights ships, and at which score a person is reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_KEPT = ("real_recall", "real_precision", "rendered_precision")
"""Figures of persons that must not fall below the base network's."""

_AS_GOOD = 0.005
"""Differences that the validation pictures cannot tell from chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One possibility, judged on the validation pictures.

    Attributes:
        share: Share of the trained weights in the blend.
        threshold: Person score of the blend that becomes the operating threshold.
        figures: Of the blend with that threshold.
    """

    share: float
    threshold: float
    figures: Mapping[str, float]

    @property
    def fitness(self) -> float:
        """Mean of F1 and keypoint similarity of persons, on renderings and on photographs."""
        f1 = [_f1(self.figures, part) for part in ("rendered", "real")]
        return (sum(f1) + self.figures["rendered_oks"] + self.figures["real_oks"]) / 4

    def shortfall(self, base: Mapping[str, float]) -> float:
        """How far the figures that must be kept lie below the base's, summed."""
        return sum(max(base[key] - self.figures[key], 0) for key in _KEPT)


def preferred(choices: Sequence[Choice], base: Mapping[str, float]) -> Choice:
    """The choice to take; of those that are as good as the best, the one with fewest false alarms.

    A person missed in one picture is mostly seen in the next; a rack that is a person in every
    third picture costs the trust of those who have to come and look.

    Args:
        base: The base network's figures.
    """
    least = max(min(choice.shortfall(base) for choice in choices), _AS_GOOD)
    lossless = [choice for choice in choices if choice.shortfall(base) <= least]
    best = max(choice.fitness for choice in lossless)
    return max(
        (choice for choice in lossless if choice.fitness >= best - _AS_GOOD),
        key=lambda choice: choice.figures["real_precision"] + choice.figures["rendered_precision"],
    )


def _f1(figures: Mapping[str, float], part: str) -> float:
    recall, precision = figures[f"{part}_recall"], figures[f"{part}_precision"]
    return 2 * recall * precision / max(recall + precision, 1e-9)
