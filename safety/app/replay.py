"""``anjeon replay``: a rule on what was recorded, before it wakes anybody."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from safety.app.replay_events import clip_of, event_of, iso
from safety.app.replay_film import remarks, tried_on_film
from safety.clock import SystemClock
from safety.config import Settings
from safety.replay.rules import proposals_for
from safety.replay.study import ReplayError, Study, study
from safety.site.apply import export_site
from safety.site.document import read_site
from safety.site.spec import SiteSpec
from safety.store import evidence, violations
from safety.store.database import Database
from safety.store.evidence_times import ClipTime, clips_during
from zones.specs import RuleSpec

_MARKS = {"same": "=", "new": "+", "gone": "-"}
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


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
        result = tried_on_film(settings, site, proposals, source, camera, out)
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
        "since": iso(found.since),
        "until": iso(found.until),
        "frames": found.frames,
        "fired": did,
        "events": _shown(database, found),
    }


def _shown(database: Database | None, found: Study) -> list[dict[str, Any]]:
    """Every event, with the clip that shows it, whatever that was made for."""
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (found.since, found.until))
    cameras = {each.firing.camera_id for each in found.differences}
    clips: Sequence[ClipTime] = ()
    if database is not None and cameras:
        with database.reading() as session:
            clips = clips_during(session, cameras, begin, end)
    return [event_of(each) | {"clip": clip_of(each, clips)} for each in found.differences]


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
                "evidence_ids": [each.id for each in evidence.of_violation(session, row.id)],
            }
            for row in sorted(rows, key=lambda row: row.opened_at)
        ]


def moment(text: str, now: float, timezone: str) -> float:
    """Unix seconds of ``"2h"`` ago, or of an ISO time in the site's zone.

    Raises:
        ReplayError: It is neither, or has not come yet.
    """
    at = _ago(text, now) if text[-1:] in _UNITS else _said(text, timezone)
    if at is None:
        raise ReplayError(
            "replay.since",
            "'{text}' is no time; say 30m, 2h or 7d, or 2026-01-05T08:00",
            text=text,
        )
    if at >= now:
        raise ReplayError(
            "replay.future",
            "'{text}' has not come yet; say a time that is over, such as 30m, 2h or 7d ago",
            text=text,
        )
    return at


def _ago(text: str, now: float) -> float | None:
    try:
        number = float(text[:-1])
    except ValueError:
        return None
    return now - number * _UNITS[text[-1]] if math.isfinite(number) else None


def _said(text: str, timezone: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).timestamp()
    except (ValueError, OverflowError):
        return None


def _lines(result: Mapping[str, Any], site: SiteSpec) -> str:
    zone = ZoneInfo(site.timezone)
    lines: list[str] = []
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
            f"{event['subject']}  {lasted}{_where(event.get('clip'))}"
        )
    lines += remarks(result)
    counts = {mark: sum(e["change"] == change for e in result["events"])
              for change, mark in _MARKS.items()}  # fmt: skip
    lines.append(
        f"{counts['=']} as now, {counts['+']} new (+), {counts['-']} no more (-)"
        + (f"; {len(result['fired'])} were really raised" if "fired" in result else "")
    )
    return "\n".join(lines)


def _where(clip: Mapping[str, Any] | str | None) -> str:
    """Where an event can be looked at: a clip cut out of a film, or a file of evidence."""
    if not clip:
        return ""
    return f"  {clip}" if isinstance(clip, str) else f"  {clip['path']} at {clip['at_s']:.1f} s"
