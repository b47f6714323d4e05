"""A shard with two calibrated cameras on the same floor, as the engine sees it."""

import pytest

from cameras.messages import (
    CameraStatus,
    ClipRequest,
    Configure,
    EvidenceReady,
    FloorSighting,
    ViolationReport,
)
from safety.clock import SystemClock
from safety.config import Settings
from safety.engine.doubles import Doubles
from safety.engine.plan import PlanDesk
from safety.types import CameraState, Phase
from tests.support.engine import TalkingEngine, shard_process
from tests.support.shards import FILM_CALIBRATION, film_camera
from tests.support.waiting import until
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

pytestmark = [pytest.mark.third_party, pytest.mark.timeout(300)]

CELL = ZoneSpec(id="cell", name="Cell", floor_m=((3.1, 6.5), (6.1, 6.5), (6.1, 11.5), (3.1, 11.5)))

FAR_YARD = ((-2.0, 30.0), (2.0, 30.0), (2.0, 33.0), (-2.0, 33.0))
YARD = ZoneSpec(id="yard", name="Yard", floor_m=FAR_YARD)


class Listening(TalkingEngine):
    """Merges and judges what it hears as the real engine does.

    Attributes:
        follows: Violation → the one that it is the same situation as, or None.
        seen: How many people there were on the plan at once, at the most.
    """

    def __init__(self, settings: Settings, configure: Configure) -> None:
        super().__init__(settings, configure)
        self.plan = PlanDesk(clock=SystemClock(), tell=lambda _: None)
        self.doubles = Doubles(self.plan.person_of)
        self.follows: dict[str, str | None] = {}
        self.taken = 0

    def unresolved(self) -> list[CameraStatus]:
        """What cameras said that cannot find people somewhere."""
        return [each for each in self.received(CameraStatus) if each.unresolved_zones]

    def clips(self, violation_id: str) -> list[EvidenceReady]:
        """Both cameras' clips of a violation, the finder's first; none before both are there."""
        found = [
            each
            for each in self.received(EvidenceReady)
            if (each.violation_id, each.kind) == (violation_id, "clip")
        ]
        return sorted(found, key=lambda each: each.other_camera) if len(found) == 2 else []

    def listen(self) -> bool:
        for message in self.messages[self.taken :]:
            if isinstance(message, FloorSighting):
                self.plan.sight(message)
            elif isinstance(message, ViolationReport):
                first = self.doubles.first_of(message.violation, on_floor=True)
                self.follows.setdefault(message.violation.id, first)
            self.taken += 1
        return len(self.follows) >= 2


async def test_two_cameras_that_see_one_intruder_report_one_situation(
    shard_settings: Settings,
) -> None:
    cameras = tuple(
        film_camera(name).model_copy(update={"calibration": FILM_CALIBRATION})
        for name in ("north", "south")
    )
    rule = IntrusionSpec(id="no-entry", name="No entry", zone_id="cell", hold_to_open_s=0.5)
    afar = IntrusionSpec(id="afar", name="Afar", zone_id="yard")
    configure = Configure(
        revision=1,
        rule_revisions={"no-entry": 1, "afar": 1},
        cameras=cameras,
        zones=(CELL, YARD),
        rules=(rule, afar),
    )
    async with Listening(shard_settings, configure) as engine:
        with shard_process(shard_settings):
            await until(engine.listen, limit_s=120)
            people = engine.plan.people()
            reported = engine.violations(Phase.OPENED)[0]
            asked = "south" if reported.camera_id == "north" else "north"
            engine.tell(
                ClipRequest(
                    camera_id=asked, violation=reported, before_s=3, after_s=1, found_with={}
                )
            )
            await until(lambda: bool(engine.clips(reported.id)), limit_s=60)
            await until(lambda: bool(engine.unresolved()), limit_s=60)

    own, other = engine.clips(reported.id)
    assert (own.other_camera, other.other_camera) == ("", asked)
    assert other.path == own.path.replace(".mp4", f"-{asked}.mp4")
    # The same seconds of the hall, up to a group of pictures.
    assert abs(own.started_at.monotonic - other.started_at.monotonic) < 1.5
    assert abs(own.ended_at.monotonic - other.ended_at.monotonic) < 0.5

    opened = engine.violations(Phase.OPENED)[:2]
    assert {violation.camera_id for violation in opened} == {"north", "south"}
    assert {violation.zone_id for violation in opened} == {"cell"}
    first, second = (violation.id for violation in opened)
    assert engine.follows[first] is None
    assert engine.follows[second] == first
    # Two workers are in the hall, four tracks are in the cameras.
    assert 1 <= len(people) <= 2
    intruder = max(people, key=lambda each: each.x_m)
    assert {camera_id for camera_id, _ in intruder.tracks} == {"north", "south"}
    assert 2.5 <= intruder.x_m <= 6.5
    assert 6.0 <= intruder.y_m <= 12.0

    # Nobody can be found in the yard, 30 m away: neither camera claims to watch it.
    for told in engine.unresolved():
        assert told.unresolved_zones == ("yard",)
        assert told.doubts == {"afar": ("cannot_resolve",)}
        assert told.state is not CameraState.LIVE
        assert told.zone_heights_px["cell"] is not None
