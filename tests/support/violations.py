"""Violations for tests that need one, whatever it is about."""

from dataclasses import replace

from safety.clock import Instant
from safety.types import Phase, Severity, Violation

START = Instant(wall=1_767_600_000.0, monotonic=1_000.0)


def opened(
    violation_id: str = "v1",
    at: Instant = START,
    camera_id: str = "cam-1",
    zone_id: str = "zone-1",
) -> Violation:
    """The first report of an intrusion."""
    return Violation(
        id=violation_id,
        revision=0,
        phase=Phase.OPENED,
        rule_id="rule-1",
        rule_revision=1,
        rule_kind="intrusion",
        camera_id=camera_id,
        zone_id=zone_id,
        subject="person-1",
        severity=Severity.DANGER,
        captured_at=at,
        opened_at=at,
        box=(0.1, 0.2, 0.3, 0.4),
        details={"inside_s": 0.0},
    )


def updated(violation: Violation, seconds: float = 1.0) -> Violation:
    """The next report while it lasts."""
    return replace(
        violation,
        revision=violation.revision + 1,
        phase=Phase.UPDATED,
        captured_at=violation.captured_at.shifted(seconds),
    )


def cleared(violation: Violation, seconds: float = 1.0) -> Violation:
    """The last report."""
    at = violation.captured_at.shifted(seconds)
    return replace(
        violation,
        revision=violation.revision + 1,
        phase=Phase.CLOSED,
        captured_at=at,
        closed_at=at,
        end_reason="cleared",
        box=None,
    )
