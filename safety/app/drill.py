"""``anjeon drill``: tries the chain from picture to siren, and puts it on record.

The film runs through a lane of its own, beside the camera's: nobody stops watching meanwhile.
"""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import typer

from cameras.analyst import Analyst
from cameras.film import frames_of
from cameras.messages import DrillRequest, DrillResult, Hello
from cameras.wire import encode, read_frame
from safety.clock import Clock, SystemClock
from safety.config import Settings
from safety.demo import SITE
from safety.errors import AnjeonError
from safety.perception.detector import Detector
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.tracking import LEAST_SCORE
from safety.replay.study import scenery_of
from safety.site.apply import export_site
from safety.site.document import read_site
from safety.site.spec import SiteSpec
from safety.store.database import Database
from safety.types import Phase, PlantState, Violation
from zones.engine import RuleEngine

SCENE_CAMERA = "robot-cell"
"""The demo site's camera whose film and rule are drilled with."""

ANSWER_S = 10.0
"""How long the engine may take to answer."""


class DrillError(AnjeonError):
    """A drill cannot be held."""


def run_drill(settings: Settings, *, camera_id: str, channel_id: str) -> bool:
    """Hold a drill and say how long each part of the chain took; whether the siren sounded.

    Args:
        camera_id: The camera whose network size it is run with.
        channel_id: The siren.

    Raises:
        DrillError: There is no such camera, or no engine.
        ModelError, CameraError: The network or the film cannot be used.
    """
    clock = SystemClock()
    site = _site(settings)
    camera = next((each for each in site.cameras if each.id == camera_id), None)
    if camera is None:
        known = ", ".join(each.id for each in site.cameras) or "none"
        raise DrillError(
            "drill.camera",
            "there is no camera '{camera}'; known are {known}",
            camera=camera_id,
            known=known,
        )
    detector = load_pose_detector(
        find_pose_model(settings),
        width=camera.network_width,
        aspect=16 / 9,
        backend=settings.backend,
        device=settings.device,
        cache_dir=settings.models_dir,
        confidence=LEAST_SCORE,
    )
    violation, scene = _rehearse(detector, clock)
    request = DrillRequest(
        drill_id=uuid4().hex,
        camera_id=camera_id,
        channel_id=channel_id,
        scene=scene.name,
        captured_at=violation.captured_at,
        reported_at=clock.now(),
    )
    result = asyncio.run(_report(settings, request))
    typer.echo(_said(request, result))
    return result.outcome == "sounded"


def _site(settings: Settings) -> SiteSpec:
    database = Database(settings.database)
    database.migrate()
    return export_site(database)


def _rehearse(detector: Detector, clock: Clock) -> tuple[Violation, Path]:
    """Play the scene at its own pace until its rule fires.

    Raises:
        DrillError: It does not: the network sees nobody.
    """
    demo = read_site(SITE, check_secrets=False)
    camera = next(each for each in demo.cameras if each.id == SCENE_CAMERA)
    film = SITE.parent / str(getattr(camera.source, "path", ""))
    scenery = scenery_of(demo, camera, demo.rules)
    rules = RuleEngine(
        camera_id=camera.id,
        zones=scenery.zones,
        rules=scenery.rules,
        rule_revisions={rule.id: 1 for rule in scenery.rules},
        new_id=lambda: uuid4().hex,
    )
    analyst = Analyst(rules)
    starts = clock.now()
    width = detector.network_px[0]
    for frame in frames_of(film, camera_id=camera.id, width_px=width, starts=starts):
        clock.sleep(max(0.0, frame.captured_at.monotonic - clock.now().monotonic))
        (detections,) = detector.detect([frame.picture])
        for violation in analyst.judge(analyst.observe(frame, detections), PlantState()):
            if violation.phase is Phase.OPENED:
                return violation, film
    raise DrillError(
        "drill.nobody",
        "the network saw nobody enter the zone in the drill's film; check it with 'anjeon doctor'"
        " and 'anjeon model verify'",
    )


async def _report(settings: Settings, request: DrillRequest) -> DrillResult:
    try:
        reader, writer = await asyncio.open_unix_connection(settings.engine_socket)
    except OSError as error:
        raise DrillError(
            "drill.no_engine",
            "no engine runs on {path}; start it with 'anjeon run'",
            path=str(settings.engine_socket),
        ) from error
    try:
        hello = Hello(role="drill", name=f"drill-{request.drill_id[:8]}", pid=os.getpid())
        writer.write(encode(hello) + encode(request))
        async with asyncio.timeout(ANSWER_S):
            while True:
                message, _ = await read_frame(reader)
                if isinstance(message, DrillResult):
                    return message
    except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        raise DrillError(
            "drill.no_answer", "the engine did not answer within {s:g} s; see its log", s=ANSWER_S
        ) from error
    finally:
        writer.close()


def _said(request: DrillRequest, result: DrillResult) -> str:
    if result.outcome != "sounded" or result.total_s is None:
        return f"drill {result.outcome}: {result.reason}"
    seen = request.reported_at.monotonic - request.captured_at.monotonic
    return (
        f"drill: siren '{request.channel_id}' confirmed {1000 * result.total_s:.0f} ms after the"
        f" picture (analysis {1000 * seen:.0f} ms, engine {1000 * (result.engine_s or 0):.0f} ms,"
        f" siren {1000 * (result.siren_s or 0):.0f} ms); on record as {request.drill_id[:8]}"
    )
