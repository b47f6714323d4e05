"""A made-up two-year history of a plant, so that every page and report has something to show.

The same seed gives the same history. Everything that is made from it says that it is
fictional, and it is only ever loaded into a record that has nothing real in it.
"""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, SQLModel, select

from safety.demo.history_people import people_did
from safety.errors import AnjeonError
from safety.months import day_after, first_day, month_of, months_from, shifted
from safety.site.spec import SiteSpec
from safety.store import audit, baselines, report_revisions, work_months
from safety.store.incident_tables import Accident
from safety.store.tables import Alert, Coverage, Delivery, ViolationRow
from safety.types import CameraState
from zones.shifts import korean_holidays

MONTHS = 24
BY = "fictional"
"""Who did everything in the made-up history, for the audit trail."""

_SEED = 20260105
_BASELINE_MONTHS = 12
_HEADCOUNT = 62
_HOURS_EACH = 8.4
_CHUNK = 2_000


class HistoryRefused(AnjeonError):
    """The record holds something real."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was made up."""

    first_month: str
    last_month: str
    violations: int
    accidents: int
    incidents: int


def load_history(
    session: Session,
    site: SiteSpec,
    *,
    now: datetime,
    months: int = MONTHS,
    per_day: float = 9.0,
    seed: int = _SEED,
) -> Loaded:
    """Make up a history up to yesterday.

    Args:
        session: The open transaction.
        site: Its cameras, rules and zones are those of the history.
        now: UTC; the running month is made up to yesterday.
        months: Whole months before the running one, 13 at least.
        per_day: Violations on a working day at the beginning; they fall by a third.
        seed: Of the random numbers.

    Raises:
        HistoryRefused: There are violations or accidents on record already, or nothing to
            make violations of.
    """
    _require_empty(session, site)
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    zone = ZoneInfo(site.timezone)
    today = now.astimezone(zone).date()
    first = shifted(month_of(today), -months)
    report_revisions.identity(session).fictional = True
    days = [first_day(first) + timedelta(days=n) for n in range((today - first_day(first)).days)]
    _hours(session, first, today, chance, now)
    _baseline(session, first, now)
    story = _Story(site=site, chance=chance, zone=zone, first=days[0], per_day=per_day)
    violations = _write(session, _watching(story, days))
    incidents = people_did(session, site, chance=chance, by=BY, now=now)
    accidents = _accidents(session, first, today, chance, now)
    audit.record(
        session,
        actor=BY,
        action="history.load",
        subject=first,
        at=now,
        detail={"seed": seed, "violations": violations},
    )
    return Loaded(
        first_month=first,
        last_month=month_of(today),
        violations=violations,
        accidents=accidents,
        incidents=incidents,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    site: SiteSpec
    chance: random.Random
    zone: ZoneInfo
    first: date
    per_day: float

    def id(self) -> str:
        return UUID(int=self.chance.getrandbits(128), version=4).hex

    def moment(self, day: date, hour: float) -> datetime:
        seconds = round(hour * 3600, 3)
        return (datetime.combine(day, time(), self.zone) + timedelta(seconds=seconds)).astimezone(
            UTC
        )


def _require_empty(session: Session, site: SiteSpec) -> None:
    real = (
        session.exec(select(ViolationRow.id).limit(1)).first()
        or session.exec(select(Accident.id).limit(1)).first()
    )
    if real is not None:
        raise HistoryRefused(
            "history.not_empty",
            "the record holds violations or accidents already; a made-up history is loaded only"
            " into an empty one (use another data directory)",
        )
    if not site.cameras or not site.rules:
        raise HistoryRefused(
            "history.no_rules",
            "a made-up history needs a site with at least one camera and one rule",
        )


def _hours(session: Session, first: str, today: date, chance: random.Random, now: datetime) -> None:
    for month in months_from(first, shifted(month_of(today), -1)):
        headcount = _HEADCOUNT + chance.randint(-3, 3)
        hours = sum(
            headcount * _HOURS_EACH * chance.uniform(0.93, 1.02)
            for day in _days_of(month)
            if _works(day)
        )
        work_months.put(
            session,
            month=month,
            group="own",
            hours=round(hours),
            headcount=headcount,
            source="fictional",
            by=BY,
            at=now,
        )


def _baseline(session: Session, first: str, now: datetime) -> None:
    last = shifted(first, _BASELINE_MONTHS - 1)
    baselines.register(
        session,
        first_month=first,
        last_month=last,
        programme_start=shifted(last, 1),
        groups="own",
        by=BY,
        at=now,
    )


def _accidents(
    session: Session, first: str, today: date, chance: random.Random, now: datetime
) -> int:
    count = 0
    for number, month in enumerate(months_from(first, month_of(today))):
        mean = 0.9 if number < _BASELINE_MONTHS else 0.6
        days = [day for day in _days_of(month) if _works(day) and day < today]
        for _ in range(_poisson(chance, mean) if days else 0):
            session.add(_accident(chance, chance.choice(days), now))
            count += 1
    session.flush()
    return count


def _accident(chance: random.Random, day: date, now: datetime) -> Accident:
    kind = chance.choice(("caught", "trip", "struck", "cut", "strain", "fall"))
    outcome = chance.choices(("lost_time", "medical_treatment", "first_aid"), (5, 3, 2))[0]
    return Accident(
        id=UUID(int=chance.getrandbits(128), version=4).hex,
        occurred_on=day,
        occurred_time=f"{chance.randint(8, 17):02d}:{chance.choice((0, 10, 20, 30, 40, 50)):02d}",
        kind=kind,
        outcome=outcome,
        worker_group="own",
        lost_days=float(chance.randint(4, 45)) if outcome == "lost_time" else 0.0,
        created_at=now,
        created_by=BY,
    )


def _watching(story: _Story, days: list[date]) -> Iterator[SQLModel]:
    """Coverage and violations with their alerts, day by day."""
    for day in days:
        for camera in story.site.cameras:
            yield from _coverage(story, camera.id, day)
        share = (day - story.first).days / max(len(days), 1)
        mean = story.per_day * (1 - share / 3) * (1.0 if _works(day) else 0.12)
        for _ in range(_poisson(story.chance, mean)):
            yield from _violation(story, day)


def _coverage(story: _Story, camera_id: str, day: date) -> Iterator[SQLModel]:
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


def _violation(story: _Story, day: date) -> Iterator[SQLModel]:
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
        end_reason="left",
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
    story: _Story,
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


def _write(session: Session, rows: Iterator[SQLModel]) -> int:
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


def _works(day: date) -> bool:
    return day.weekday() < 5 and day not in korean_holidays()


def _days_of(month: str) -> list[date]:
    first = first_day(month)
    return [first + timedelta(days=n) for n in range((day_after(month) - first).days)]


def _poisson(chance: random.Random, mean: float) -> int:
    """Knuth's method; means are small."""
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
