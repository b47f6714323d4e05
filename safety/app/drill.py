"""``anjeon drill``: tries a camera's chain from picture to siren, and puts it on record.

The scene is made into a film such as the camera sends, and the camera's shard plays it in a lane
of its own, beside the camera's: nobody stops watching meanwhile.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import typer

from cameras.annexb import Codec
from cameras.drill_film import Screen, write_drill_film
from cameras.messages import CameraStatus, DrillRequest, DrillResult, Hello, Message
from cameras.regions import WHOLE, Region
from cameras.specs import CameraSpec
from cameras.wire import encode, read_frame
from safety.config import Settings
from safety.demo import SITE
from safety.errors import AnjeonError
from safety.replay.study import scenery_of
from safety.site.apply import export_site
from safety.site.document import read_site
from safety.site.spec import SiteSpec
from safety.store.database import Database
from zones.arming import Always
from zones.rules.intrusion import IntrusionSpec
from zones.specs import RuleSpec, ZoneSpec

SCENE_CAMERA = "robot-cell"
"""The demo site's camera whose film, zone and rule are drilled with."""

START_S, END_S = 3.0, 9.0
"""The part of the film that is played: somebody walks up to the zone, and is inside from 4.9 s."""

ASPECT = 16 / 9
"""Of the film."""

LONGEST_HOLD_S = 3.0
"""A rule that waits longer than this does not fire in the film."""

FASTEST_FPS = 30.0

ANSWER_S = 25.0
"""How long the engine may take to answer: the film, its analysis, the siren."""

STATUS_S = 2.0
"""How long the engine may take to say what the camera is like."""


class DrillError(AnjeonError):
    """A drill cannot be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """The scene: its film, zone and rule."""

    film: Path
    zone: ZoneSpec
    rule: IntrusionSpec


def run_drill(
    settings: Settings, *, camera_id: str, channel_id: str, by: str = "command line"
) -> bool:
    """Hold a drill and say how long each part of the chain took; whether the siren sounded.

    Args:
        camera_id: The camera through whose chain the scene is played.
        channel_id: The siren.
        by: Who holds it.

    Raises:
        DrillError: There is no such camera, or no engine.
        CameraError: The scene cannot be read.
    """
    database = Database(settings.database)
    database.migrate()
    site = export_site(database)
    camera = _camera(site, camera_id)
    result = asyncio.run(_Drill(settings, site, camera, channel_id=channel_id, by=by).hold())
    typer.echo(_said(result, camera_id=camera_id, channel_id=channel_id))
    return result.outcome == "sounded"


def _camera(site: SiteSpec, camera_id: str) -> CameraSpec:
    camera = next((each for each in site.cameras if each.id == camera_id), None)
    if camera is None:
        raise DrillError(
            "drill.camera",
            "there is no camera '{camera}'; known are {known}",
            camera=camera_id,
            known=", ".join(each.id for each in site.cameras) or "none",
        )
    if not camera.enabled:
        raise DrillError(
            "drill.camera_off",
            "the camera '{camera}' is switched off, so that it has no chain to be tried; switch"
            " it on first",
            camera=camera_id,
        )
    return camera


class _Drill:
    """One drill, from the engine's word on the camera to its word on the siren."""

    def __init__(
        self, settings: Settings, site: SiteSpec, camera: CameraSpec, *, channel_id: str, by: str
    ) -> None:
        self._settings = settings
        self._site = site
        self._camera = camera
        self._channel_id = channel_id
        self._by = by
        self._id = uuid4().hex

    async def hold(self) -> DrillResult:
        try:
            reader, writer = await asyncio.open_unix_connection(self._settings.engine_socket)
        except OSError as error:
            raise DrillError(
                "drill.no_engine",
                "no engine runs on {path}; start it with 'anjeon run'",
                path=str(self._settings.engine_socket),
            ) from error
        film = self._settings.drills_dir / f"{self._id}.mkv"
        try:
            hello = Hello(role="drill", name=f"drill-{self._id[:8]}", pid=os.getpid())
            writer.write(encode(hello))
            status = await self._status(reader)
            request = await asyncio.to_thread(self._request, film, status)
            writer.write(encode(request))
            return await self._answer(reader)
        finally:
            writer.close()
            await asyncio.to_thread(film.unlink, missing_ok=True)

    async def _status(self, reader: asyncio.StreamReader) -> CameraStatus | None:
        """What the camera is like; None: it has shown no picture yet."""
        try:
            async with asyncio.timeout(STATUS_S):
                while True:
                    message = await _next(reader)
                    if isinstance(message, CameraStatus) and self._is_seen(message):
                        return message
        except TimeoutError:
            return None

    def _is_seen(self, status: CameraStatus) -> bool:
        return status.camera_id == self._camera.id and status.width_px is not None

    def _request(self, film: Path, status: CameraStatus | None) -> DrillRequest:
        rehearsal, screen = _rehearsal(), screen_of(status)
        film.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_drill_film(rehearsal.film, film, screen, start_s=START_S, end_s=END_S)
        assert rehearsal.zone.polygon is not None, "the scene's zone lies in its picture"
        zone = rehearsal.zone.model_copy(
            update={
                "camera_id": self._camera.id,
                "polygon": screen.polygon(rehearsal.zone.polygon, ASPECT),
            }
        )
        return DrillRequest(
            drill_id=self._id,
            camera_id=self._camera.id,
            channel_id=self._channel_id,
            scene=rehearsal.film.name,
            film=film.resolve(),
            seconds=END_S - START_S,
            zone=zone,
            rule=rule_of(self._site, self._camera, rehearsal.rule),
            by=self._by,
        )

    async def _answer(self, reader: asyncio.StreamReader) -> DrillResult:
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    message = await _next(reader)
                    if isinstance(message, DrillResult):
                        return message
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            raise DrillError(
                "drill.no_answer",
                "the engine did not answer within {s:g} s; see its log",
                s=ANSWER_S,
            ) from error


async def _next(reader: asyncio.StreamReader) -> Message:
    message, _ = await read_frame(reader)
    return message


def _rehearsal() -> Rehearsal:
    demo = read_site(SITE, check_secrets=False)
    camera = next(each for each in demo.cameras if each.id == SCENE_CAMERA)
    scenery = scenery_of(demo, camera, demo.rules)
    rule = next(each for each in scenery.rules if isinstance(each, IntrusionSpec))
    zone = next(each for each in scenery.zones if each.id == rule.zone_id)
    film = SITE.parent / str(getattr(camera.source, "path", ""))
    return Rehearsal(film=film, zone=zone, rule=rule)


def rule_of(site: SiteSpec, camera: CameraSpec, scenes: IntrusionSpec) -> RuleSpec:
    """The rule that the drill is held with, on the scene's zone and always armed.

    The camera's first intrusion rule as it is set, or else the scene's own.

    Args:
        scenes: The scene's own rule.
    """
    own = [
        rule
        for rule in scenery_of(site, camera, site.rules).rules
        if isinstance(rule, IntrusionSpec)
        and rule.enabled
        and rule.body != "hands"
        and rule.hold_to_open_s <= LONGEST_HOLD_S
    ]
    chosen = own[0] if own else scenes
    return chosen.model_copy(
        update={"zone_id": scenes.zone_id, "arming": Always(), "enabled": True, "mode": "active"}
    )


def screen_of(status: CameraStatus | None) -> Screen:
    """The picture that the camera sends; the scene's own where it has sent none."""
    if status is None or status.width_px is None or status.height_px is None:
        return Screen(width_px=1280, height_px=720)
    codec: Codec = "h265" if status.codec == "h265" else "h264"
    region = WHOLE
    if status.regions:
        left, top, right, bottom = status.regions[0]
        region = Region(left=left, top=top, right=right, bottom=bottom)
    return Screen(
        width_px=status.width_px,
        height_px=status.height_px,
        codec=codec,
        fps=min(max(float(round(status.capture_fps)), 5.0), FASTEST_FPS),
        region=region,
    )


def _said(result: DrillResult, *, camera_id: str, channel_id: str) -> str:
    lines = [f"drill {result.outcome}: {result.reason}"]
    if result.outcome == "sounded" and result.total_s is not None:
        parts = {
            "decoding, network, rule": result.analysis_s,
            "engine": result.engine_s,
            "siren": result.siren_s,
        }
        shares = ", ".join(f"{name} {1000 * (s or 0):.0f} ms" for name, s in parts.items())
        lines[0] = (
            f"drill: siren '{channel_id}' confirmed {1000 * result.total_s:.0f} ms after the"
            f" picture ({shares}); on record as {result.drill_id[:8]}"
        )
    if result.watched:
        lines.append(
            f"camera '{camera_id}' meanwhile: {result.watched},"
            f" {result.watched_frames} of its own pictures analysed"
        )
    return "\n".join(lines)
