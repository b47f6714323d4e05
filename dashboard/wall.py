"""The live wall as one moment shows it: every camera's state in words, and what is alarming.

What nobody has confirmed within three seconds is NOT MONITORED, whatever was true before.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from cameras.messages import CameraStatus
from dashboard.formatting import short_time, utc_from_unix
from dashboard.hub import Hub
from dashboard.inbox import AlertView, alert_views
from dashboard.visit import Visit
from safety.i18n import Translate
from safety.store.alerts import AlertState, list_alerts
from safety.store.tables import Alert, Camera, Zone
from safety.types import CameraState, Severity
from zones.calibration import CalibrationSpec
from zones.survey import solve

MAX_RAISED = 200
"""Alerts counted per camera at most; beyond that the inbox is the place to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One camera on the wall.

    Attributes:
        state: What it can honestly be said to watch now.
        reason: Why, as the rest of a translation key ``reason.…``.
        note: What somebody has said of it: why it is switched off.
        since: When this state began, UTC; None if that is not known.
        codec: Of the stream, as far as known.
        aspect: Width / height of the picture.
        open_alerts: Alerts of this camera that nobody has acknowledged.
        danger: Whether the situation of one of them lasts.
        zones: To draw: ``id``, ``name``, ``polygon``, and ``hatched`` where people in it are too
            small to be found.
    """

    id: str
    name: str
    state: CameraState
    reason: str
    note: str
    since: datetime | None
    codec: str | None
    aspect: float
    open_alerts: int
    danger: bool
    zones: Sequence[Mapping[str, Any]]

    @property
    def forwarded(self) -> bool:
        """Whether the browser can play the camera's video as it is."""
        return self.codec in (None, "h264")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Everything the wall shows.

    Attributes:
        newest: The newest alert that nobody has acknowledged.
        alarm: Of those about somebody in danger the newest that lasts, else the newest.
        raised: How many there are, counted up to ``MAX_RAISED``.
        engine_silent: Nobody says whether anything is monitored.
    """

    tiles: Sequence[Tile]
    newest: AlertView | None
    alarm: AlertView | None
    raised: int
    engine_silent: bool

    @property
    def watched(self) -> int:
        """Cameras that are monitored now, well or not so well."""
        return sum(tile.state is not CameraState.BLIND for tile in self.tiles)

    @property
    def unresolved(self) -> int:
        """Zones in which people are too small for every camera that watches now."""
        drawn = [zone for t in self.tiles if t.state is not CameraState.BLIND for zone in t.zones]
        resolved = {zone["id"] for zone in drawn if not zone["hatched"]}
        return len({zone["id"] for zone in drawn} - resolved)

    @property
    def complete(self) -> bool:
        """Whether every camera is monitored without any reservation."""
        all_live = all(tile.state is CameraState.LIVE for tile in self.tiles)
        return bool(self.tiles) and all_live and not self.unresolved

    @property
    def columns(self) -> int:
        """Columns of the grid on a wide screen."""
        return math.ceil(math.sqrt(len(self.tiles)))

    @property
    def rows(self) -> int:
        """Rows of that grid."""
        return math.ceil(len(self.tiles) / max(1, self.columns))


def read_wall(visit: Visit) -> Wall:
    """The wall of this moment, from the record and the engine's word."""
    with visit.database.reading() as session:
        cameras = session.exec(select(Camera).order_by(col(Camera.position), Camera.id)).all()
        zones = session.exec(select(Zone).order_by(col(Zone.position), Zone.id)).all()
        raised = list_alerts(session, state=AlertState.RAISED, limit=MAX_RAISED)
        newest = _first(session, visit.translate, raised)
        alarm = _first(session, visit.translate, _alarming(raised))
    opened = Counter(alert.camera_id for alert in raised)
    lasting = {alert.camera_id for alert in raised if _endangers(alert)}
    known = visit.hub.camera_status()
    tiles = [
        _tile(
            camera,
            known.get(camera.id),
            visit.hub,
            zones=_zones(camera, zones, known.get(camera.id)),
            open_alerts=opened[camera.id],
            danger=camera.id in lasting,
        )
        for camera in cameras
    ]
    return Wall(
        tiles=tiles,
        newest=newest,
        alarm=alarm,
        raised=len(raised),
        engine_silent=visit.hub.engine_status() is None,
    )


def _endangers(alert: Alert) -> bool:
    return alert.kind == "violation" and alert.cleared_at is None


def _alarming(raised: Sequence[Alert]) -> Sequence[Alert]:
    dangers = [a for a in raised if a.kind == "violation" and a.severity == Severity.DANGER]
    return [a for a in dangers if a.cleared_at is None] or dangers


def _first(session: Session, translate: Translate, raised: Sequence[Alert]) -> AlertView | None:
    return alert_views(session, translate, raised[:1])[0] if raised else None


def _tile(
    camera: Camera,
    status: CameraStatus | None,
    hub: Hub,
    *,
    zones: Sequence[dict[str, Any]],
    open_alerts: int,
    danger: bool,
) -> Tile:
    state, reason, since = _state(camera, status, hub)
    size = (status.width_px, status.height_px) if status else (None, None)
    return Tile(
        id=camera.id,
        name=str(camera.spec.get("name", camera.id)),
        state=state,
        reason=reason,
        note=str(camera.spec.get("disabled_reason") or "") if reason == "disabled" else "",
        since=since,
        codec=status.codec if status else None,
        aspect=size[0] / size[1] if size[0] and size[1] else 16 / 9,
        open_alerts=open_alerts,
        danger=danger,
        zones=zones,
    )


def _zones(
    camera: Camera, zones: Sequence[Zone], status: CameraStatus | None
) -> list[dict[str, Any]]:
    """What is drawn in a picture: its own zones, and what it shows of those on the floor."""
    stored = camera.spec.get("calibration")
    floor = solve(CalibrationSpec.model_validate(stored)) if stored else None
    unresolved = status.unresolved_zones if status else ()
    drawn = []
    for zone in zones:
        polygon = zone.spec.get("polygon") if zone.camera_id == camera.id else None
        floor_m = zone.spec.get("floor_m")
        if floor is not None and floor_m is not None:
            polygon = floor.picture_polygon(floor_m)
        if polygon:
            hatched = zone.id in unresolved
            drawn.append(
                {
                    "id": zone.id,
                    "name": zone.spec["name"],
                    "polygon": polygon,
                    "hatched": hatched,
                }
            )
    return drawn


def _state(
    camera: Camera, status: CameraStatus | None, hub: Hub
) -> tuple[CameraState, str, datetime | None]:
    if not camera.spec.get("enabled", True):
        return CameraState.BLIND, "disabled", None
    if status is not None:
        return status.state, status.reason, utc_from_unix(status.since.wall)
    heard = hub.last_heard(camera.id)
    reason = "engine_silent" if hub.engine_status() is None else "no_word"
    return CameraState.BLIND, reason, utc_from_unix(heard.wall) if heard else None


def sentence(wall: Wall, translate: Translate) -> str:
    """The first thing anybody wants to know: is everything being watched?"""
    total, watched = len(wall.tiles), wall.watched
    if total and wall.engine_silent:
        return translate("live.engine_silent")
    if watched and wall.unresolved:
        count = wall.unresolved
        return translate("live.zones_unresolved", watched=watched, total=total, count=count)
    if watched == total:
        return translate("live.one_watched" if total == 1 else "live.all_watched", total=total)
    key = "live.some_watched" if watched else "live.none_watched"
    return translate(key, watched=watched, total=total)


def wall_json(wall: Wall, visit: Visit) -> dict[str, Any]:
    """What the page asks for every second, in the reader's language."""
    return {
        "sentence": sentence(wall, visit.translate),
        "complete": wall.complete,
        "cameras": [_tile_json(tile, visit) for tile in wall.tiles],
        "alert": _alert_json(wall.newest, wall.raised - 1, visit) if wall.newest else None,
        "alarm": _alert_json(wall.alarm, wall.raised - 1, visit) if wall.alarm else None,
    }


def _tile_json(tile: Tile, visit: Visit) -> dict[str, Any]:
    translate = visit.translate
    return {
        "id": tile.id,
        "name": tile.name,
        "state": tile.state.value,
        "state_text": translate(f"state.{tile.state}"),
        "reason_text": reason_text(tile, translate),
        "since_text": since_text(tile, visit),
        "open_text": open_text(tile, translate),
        "danger": tile.danger,
        "forwarded": tile.forwarded,
        "aspect": round(tile.aspect, 4),
        "zones": tile.zones,
    }


def reason_text(tile: Tile, translate: Translate) -> str:
    """Why the camera is in its state; empty while all is well."""
    if tile.state is CameraState.LIVE:
        return ""
    said = translate(f"reason.{tile.reason}")
    return f"{said}: {tile.note}" if tile.note else said


def since_text(tile: Tile, visit: Visit) -> str:
    """Since when it is not well; empty while all is well or if nobody knows."""
    if tile.state is CameraState.LIVE or tile.since is None:
        return ""
    return visit.translate("live.since", time=short_time(tile.since, visit.zone, visit.now))


def open_text(tile: Tile, translate: Translate) -> str:
    """How many alerts wait; empty if none does."""
    return translate("live.open_alerts", count=tile.open_alerts) if tile.open_alerts else ""


def _alert_json(view: AlertView, others: int, visit: Visit) -> dict[str, Any]:
    alert = view.alert
    return {
        "id": alert.id,
        "title": view.title,
        "severity": alert.severity,
        "lasts": view.lasts,
        "camera_id": alert.camera_id,
        "where": " · ".join(filter(None, (view.camera_name, view.zone_name))),
        "at_text": short_time(alert.raised_at, visit.zone, visit.now),
        "more_text": visit.translate("live.more_alerts", count=others) if others else "",
    }
