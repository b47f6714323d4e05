"""What trying a rule found, as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from safety.site.spec import SiteSpec

MARKS: Final = {"same": "=", "new": "+", "gone": "-"}
_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedEvent:
    """One event under the present rule, the tried one, or both.

    Attributes:
        change: ``same``, ``new`` or ``gone``.
        seconds: How long it lasted; None: it was open at the end.
    """

    change: str
    camera: str
    subject: str
    at: datetime
    seconds: float | None


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
            )
            for each in newest
        ],
        left_out=len(found) - len(newest),
    )
