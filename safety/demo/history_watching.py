"""What the made-up plant's cameras saw: coverage, violations, alerts and notices."""

import itertools
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlmodel import Session, SQLModel

from safety.demo.history_story import BY, Story, poisson, works
from safety.store.tables import Alert, Coverage, Delivery, ViolationRow
from safety.types import CameraState

_CHUNK = 2_000


def watched(story: Story, days: list[date]) -> Iterator[SQLModel]:
    """Coverage and violations with their alerts, day by day."""
    for day in days:
        for camera in story.site.cameras:
            yield from _coverage(story, camera.id, day)
        share = (day - story.first).days / max(len(days), 1)
        mean = story.per_day * (1 - share / 3) * (1.0 if works(day) else 0.12)
        for _ in range(poisson(story.chance, mean)):
            yield from _violation(story, day)


def _coverage(story: Story, camera_id: str, day: date) -> Iterator[SQLModel]:
    """One day: live, but for a gap now and then."""
    start, end = story.moment(day, 0), story.moment(day + timedelta(days=1), 0)
    state, reason = CameraState.LIVE, "ok"
    cuts = [start]
    if story.chance.random() < 0.12:
        gap = start + (end - start) * story.chance.random() * 0.8
        cuts += [gap, gap + timedelta(minutes=story.chance.lognormvariate(3.2, 1.0))]
    cuts = [cut for cut in cuts if cut < end] + [end]
    for begin, until in itertools.pairwise(cuts):
        yield Coverage(
            camera_id=camera_id,
            state=state.value,
            reason=reason,
            started_at=begin,
            ended_at=until,
            seconds=(until - begin).total_seconds(),
        )
        state, reason = (
            story.chance.choice(
                (
                    (CameraState.BLIND, "no_frames"),
                    (CameraState.BLIND, "frozen"),
                    (CameraState.DEGRADED, "busy"),
                )
            )
            if state is CameraState.LIVE
            else (CameraState.LIVE, "ok")
        )


def _violation(story: Story, day: date) -> Iterator[SQLModel]:
    chance = story.chance
    rule = chance.choice(story.site.rules)
    zones = {zone.id: zone for zone in story.site.zones}
    zone_id = getattr(rule, "zone_id", None)
    place = zones.get(zone_id or "")
    camera = place.camera_id if place and place.camera_id else story.site.cameras[0].id
    hour = min(max(chance.gauss(13.5, 3.2), 6.0), 21.9)
    opened = story.moment(day, hour)
    lasted = chance.lognormvariate(1.8, 0.8)
    closed = opened + timedelta(seconds=lasted)
    violation_id, alert_id = story.id(), story.id()
    yield ViolationRow(
        id=violation_id,
        revision=2,
        phase="closed",
        rule_id=rule.id,
        rule_revision=1,
        rule_kind=rule.kind,
        camera_id=camera,
        zone_id=zone_id,
        subject=f"t{chance.randint(1, 999)}",
        severity=rule.severity.value,
        captured_at=opened,
        opened_at=opened,
        closed_at=closed,
        duration_s=lasted,
        end_reason="cleared",
        siren_latency_s=chance.uniform(0.06, 0.19),
    )
    yield _alert(story, alert_id, violation_id, rule.id, rule.kind, camera, zone_id, opened, closed)
    delivered = opened + timedelta(seconds=chance.lognormvariate(0.2, 0.9))
    yield Delivery(
        id=story.id(),
        alert_id=alert_id,
        channel_id="siren",
        event="raised",
        state="delivered" if chance.random() < 0.998 else "dead",
        attempts=1,
        created_at=opened,
        next_attempt_at=opened,
        deadline_at=opened + timedelta(days=1),
        delivered_at=delivered,
    )


def _alert(
    story: Story,
    alert_id: str,
    violation_id: str,
    rule_id: str,
    kind: str,
    camera_id: str,
    zone_id: str | None,
    opened: datetime,
    closed: datetime,
) -> Alert:
    chance, site = story.chance, story.site
    names = {part.id: part.name for part in (*site.cameras, *site.zones, *site.rules)}
    answered = chance.random() < 0.94
    state = chance.choices(("confirmed", "false_positive", "acknowledged"), (72, 7, 21))[0]
    acknowledged = opened + timedelta(seconds=chance.lognormvariate(3.7, 0.9))
    decided = answered and state != "acknowledged"
    place = names.get(zone_id or "", names.get(camera_id, camera_id))
    return Alert(
        id=alert_id,
        kind="violation",
        dedupe_key=violation_id,
        violation_id=violation_id,
        camera_id=camera_id,
        zone_id=zone_id,
        rule_id=rule_id,
        rule_kind=kind,
        severity="danger",
        state=state if answered else "expired",
        message_key=f"alert.{kind}",
        params={
            "camera": names.get(camera_id, camera_id),
            "zone": names.get(zone_id or "", ""),
            "rule": names.get(rule_id, rule_id),
            "place": place,
            "time": opened.astimezone(story.zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
        },
        raised_at=opened,
        cleared_at=closed,
        acknowledged_at=acknowledged if answered else None,
        acknowledged_by=BY if answered else None,
        decided_at=acknowledged + timedelta(minutes=20) if decided else None,
        decided_by=BY if decided else None,
    )


def write(session: Session, rows: Iterator[SQLModel]) -> int:
    """Write rows, some thousand at a time.

    Returns:
        How many of them are violations.
    """
    violations, waiting = 0, []
    for row in rows:
        violations += isinstance(row, ViolationRow)
        waiting.append(row)
        if len(waiting) >= _CHUNK:
            _flush(session, waiting)
            waiting = []
    _flush(session, waiting)
    return violations


def _flush(session: Session, rows: list[SQLModel]) -> None:
    # Violations before the alerts that name them, alerts before their deliveries.
    for table in (Coverage, ViolationRow, Alert, Delivery):
        session.add_all(row for row in rows if isinstance(row, table))
        session.flush()
    session.expunge_all()
