"""What trying a rule found, as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from safety.site.spec import SiteSpec

MARKS: Final = {"same": "=", "new": "+", "gone": "-"}
_SHOWN = 50
_BEFORE_S = 2.0
"""A clip is wound to so long before the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedEvent:
    """One event under the present rule, the tried one, or both.

    Attributes:
        change: ``same``, ``new`` or ``gone``.
        seconds: How long it lasted; None: it was open at the end.
        clip: Address of a clip that shows it, wound to shortly before; empty: there is none.
    """

    change: str
    camera: str
    subject: str
    at: datetime
    seconds: float | None
    clip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The result.

    Attributes:
        counts: How many events are the same, new and gone.
        raised: How many the rule really raised in that time.
        events: The newest of them.
    """

    since: datetime
    until: datetime
    frames: int
    counts: Mapping[str, int]
    raised: int
    events: Sequence[TriedEvent]
    left_out: int


def read_trial(result: Mapping[str, Any], site: SiteSpec) -> Trial:
    """The words of ``anjeon replay --json``, with the names that people use."""
    cameras = {camera.id: camera.name for camera in site.cameras}
    found: list[dict[str, Any]] = result["events"]
    newest = sorted(found, key=lambda each: str(each["opened_at"]), reverse=True)[:_SHOWN]
    return Trial(
        since=datetime.fromisoformat(result["since"]),
        until=datetime.fromisoformat(result["until"]),
        frames=result["frames"],
        counts={change: sum(each["change"] == change for each in found) for change in MARKS},
        raised=len(result["fired"]),
        events=[
            TriedEvent(
                change=each["change"],
                camera=cameras.get(each["camera"], each["camera"]),
                subject=each["subject"],
                at=datetime.fromisoformat(each["opened_at"]),
                seconds=each["seconds"],
                clip=_wound(each.get("clip")),
            )
            for each in newest
        ],
        left_out=len(found) - len(newest),
    )


def _wound(clip: Mapping[str, Any] | None) -> str:
    if clip is None:
        return ""
    return f"/evidence/{clip['evidence']}#t={max(0.0, clip['at_s'] - _BEFORE_S):.1f}"
