"""``anjeon replay``: a rule on what was recorded, before it wakes anybody."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from safety.clock import Instant, SystemClock
from safety.config import Settings
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.ppe_load import load_ppe_detector
from safety.perception.tracking import LEAST_SCORE
from safety.replay.clips import cut
from safety.replay.compare import Difference, compare
from safety.replay.rules import proposals_for
from safety.replay.run import Firing, replay_film, with_proposals
from safety.replay.study import ReplayError, scenery_of, study
from safety.site.apply import export_site
from safety.site.document import read_site
from safety.site.spec import SiteSpec
from safety.store import evidence, violations
from safety.store.database import Database
from zones.specs import RuleSpec

AROUND_S = 3.0
"""Seconds of film before and after a violation."""

_MARKS = {"same": "=", "new": "+", "gone": "-"}
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
_DEFAULT_ASPECT = 16 / 9


def run_replay(
    settings: Settings,
    source: Path | None,
    *,
    rule: str,
    camera: str | None,
    since: str,
    site_file: Path | None,
    out: Path | None,
    as_object: bool,
) -> None:
    """Replay and print what would change.

    Args:
        source: A film; None: what the cameras observed.
        rule: A rule's id, or a YAML file with proposed rules.
        camera: Whose zones and rules; must be given for a film unless there is one camera.
        since: ``"2h"``, ``"30m"``, ``"7d"`` or an ISO time in the site's zone.
        site_file: The site; None: the one in the database.
        out: Where clips of a film are written.
        as_object: Print one JSON object instead of lines.

    Raises:
        ReplayError, ConfigError, CameraError, ModelError: It cannot be replayed.
    """
    database = Database(settings.database) if site_file is None else None
    if database is not None:
        database.migrate()
    site = read_site(site_file) if site_file is not None else export_site(_there(database))
    proposals = proposals_for(site, rule)
    if source is not None:
        result = _film(settings, site, proposals, source, camera, out)
    else:
        result = _recorded(settings, database, site, proposals, camera, since)
    typer.echo(json.dumps(result, indent=2) if as_object else _lines(result, site))


def _there(database: Database | None) -> Database:
    assert database is not None
    return database


def _recorded(
    settings: Settings,
    database: Database | None,
    site: SiteSpec,
    proposals: Sequence[RuleSpec],
    camera: str | None,
    since: str,
) -> dict[str, Any]:
    now = SystemClock().now().wall
    begin = moment(since, now, site.timezone)
    found = study(
        site,
        proposals,
        folder=settings.observations_dir,
        cameras=[camera] if camera else [],
        since=begin,
        until=now,
    )
    did = _did(database, proposals, begin) if database is not None else []
    return {
        "since": _iso(found.since),
        "until": _iso(found.until),
        "frames": found.frames,
        "fired": did,
        "events": [_event(each) for each in found.differences],
    }


def _did(database: Database, proposals: Sequence[RuleSpec], since: float) -> list[dict[str, Any]]:
    """What the rules really raised, with the evidence that there is."""
    begin = datetime.fromtimestamp(since, UTC)
    with database.reading() as session:
        rows = [
            row
            for rule in proposals
            for row in violations.list_violations(session, rule_id=rule.id, since=begin, limit=1000)
        ]
        return [
            {
                "violation": row.id,
                "rule": row.rule_id,
                "camera": row.camera_id,
                "subject": row.subject,
                "opened_at": row.opened_at.isoformat(),
                "evidence": [
                    each.path for each in evidence.of_violation(session, row.id) if each.path
                ],
            }
            for row in sorted(rows, key=lambda row: row.opened_at)
        ]


def _film(
    settings: Settings,
    site: SiteSpec,
    proposals: Sequence[RuleSpec],
    film: Path,
    camera_id: str | None,
    out: Path | None,
) -> dict[str, Any]:
    known = {camera.id: camera for camera in site.cameras}
    chosen = camera_id or (next(iter(known)) if len(known) == 1 else "")
    if chosen not in known:
        raise ReplayError(
            "replay.which_camera",
            "say whose film it is with --camera; known are {known}",
            known=", ".join(sorted(known)) or "none",
        )
    camera = known[chosen]
    people = load_pose_detector(
        find_pose_model(settings),
        width=camera.network_width,
        aspect=_DEFAULT_ASPECT,
        backend=settings.backend,
        device=settings.device,
        cache_dir=settings.models_dir,
        confidence=LEAST_SCORE,
    )
    needs_ppe = any(each.kind == "missing_ppe" for each in proposals)
    ppe = load_ppe_detector(settings) if needs_ppe else None
    starts = Instant(wall=0.0, monotonic=0.0)
    ids = {each.id for each in proposals}
    present = [each for each in site.rules if each.id in ids]
    both = [
        scenery_of(site, camera, rules) for rules in (present, with_proposals(present, proposals))
    ]
    was, will = replay_film(film, both, people, ppe, starts=starts)
    differences = compare(was, will)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    return {
        "film": str(film),
        "events": [
            _event(each) | _clip(film, each, number, out)
            for number, each in enumerate(differences, start=1)
        ],
    }


def _clip(film: Path, difference: Difference, number: int, out: Path | None) -> dict[str, str]:
    if out is None:
        return {}
    firing = difference.firing
    closed = firing.closed_at.wall if firing.closed_at is not None else firing.opened_at.wall
    target = out / f"{number:03}-{firing.rule_id}.mp4"
    start_s, end_s = firing.opened_at.wall - AROUND_S, closed + AROUND_S
    cut(film, target, start_s=start_s, end_s=end_s)
    return {"clip": str(target)}


def moment(text: str, now: float, timezone: str) -> float:
    """Unix seconds of ``"2h"`` ago, or of an ISO time in the site's zone.

    Raises:
        ReplayError: It is neither.
    """
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.replace(".", "", 1).isdigit():
        return now - float(number) * _UNITS[unit]
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ReplayError(
            "replay.since",
            "'{text}' is no time; say 30m, 2h or 7d, or 2026-01-05T08:00",
            text=text,
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).timestamp()


def _event(difference: Difference) -> dict[str, Any]:
    firing = difference.firing
    return {
        "change": difference.change,
        "rule": firing.rule_id,
        "kind": firing.rule_kind,
        "camera": firing.camera_id,
        "zone": firing.zone_id,
        "subject": firing.subject,
        "opened_at": _iso(firing.opened_at.wall),
        "seconds": _seconds(firing),
        "details": firing.details,
    }


def _seconds(firing: Firing) -> float | None:
    if firing.closed_at is None:
        return None
    return round(firing.closed_at.monotonic - firing.opened_at.monotonic, 2)


def _iso(wall: float) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wall)).isoformat()


def _lines(result: Mapping[str, Any], site: SiteSpec) -> str:
    zone = ZoneInfo(site.timezone)
    lines = []
    for event in result["events"]:
        at = datetime.fromisoformat(event["opened_at"])
        shown = (
            f"{at.timestamp():8.1f} s"
            if "film" in result
            else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        )
        lasted = "still open" if event["seconds"] is None else f"{event['seconds']:.1f} s"
        lines.append(
            f"{_MARKS[event['change']]} {shown}  {event['rule']}  {event['camera']}  "
            f"{event['subject']}  {lasted}{'  ' + event['clip'] if 'clip' in event else ''}"
        )
    counts = {mark: sum(e["change"] == change for e in result["events"])
              for change, mark in _MARKS.items()}  # fmt: skip
    lines.append(
        f"{counts['=']} as now, {counts['+']} new (+), {counts['-']} no more (-)"
        + (f"; {len(result['fired'])} were really raised" if "fired" in result else "")
    )
    return "\n".join(lines)
