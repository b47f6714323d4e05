"""For how long protective equipment was worn: sums, nobody's own."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cameras.messages.base import Message
from safety.types import PpeItem


class PpeSum(BaseModel):
    """What is added to one hour of one rule and item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour: int
    """Its beginning, Unix seconds."""
    rule_id: str
    zone_id: str
    item: PpeItem
    worn_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    missing_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    unknown_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    stays: int = Field(default=0, ge=0)
    """Stays in the zone in which worn or missing was told at least once; one person who comes
    back makes another."""


class PpeSums(Message):
    """Shard → engine: for how long persons whom rules oblige wore what they have to, since the
    last of these; every ten seconds while there is anybody."""

    type: Literal["ppe_sums"] = "ppe_sums"
    camera_id: str
    sums: tuple[PpeSum, ...]

    def with_earlier(self, earlier: "PpeSums | None") -> "PpeSums":
        """This and one that was not sent yet, as one."""
        sums = {_key(each): each for each in earlier.sums} if earlier is not None else {}
        for each in self.sums:
            before = sums.get(_key(each))
            sums[_key(each)] = each if before is None else _added(before, each)
        newest = sorted(sums.values(), key=lambda each: each.hour)[-MOST_SUMS:]
        return self.model_copy(update={"sums": tuple(newest)})


MOST_SUMS = 2_000
"""Of one camera, while the engine is away; then the oldest hours are let go."""


def _key(each: PpeSum) -> tuple[int, str, str]:
    return each.hour, each.rule_id, each.item


def _added(one: PpeSum, other: PpeSum) -> PpeSum:
    return one.model_copy(
        update={
            name: getattr(one, name) + getattr(other, name)
            for name in ("worn_s", "missing_s", "unknown_s", "stays")
        }
    )
