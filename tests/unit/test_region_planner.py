"""Plans for running cameras: from the configuration, what was seen, and what networks cost."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from cameras.budget import NetworkCosts
from cameras.fleet import part_of
from cameras.lane import Lane
from cameras.messages import Configure
from cameras.region_notes import note_of, plans_as_noted, read_notes, write_note
from cameras.region_plan import CONTEXT_S, Outlook
from cameras.region_planner import CALM_PLANS, Part, Planner
from cameras.specs import CameraSpec
from cameras.worker import CameraWorker
from safety.clock import SystemClock
from safety.replay.sight import Film, plan_of
from safety.site.spec import SiteSpec
from safety.types import Frame
from tests.support.observations import person
from tests.support.pictures import WholePicture
from tests.support.pinholes import Hung
from tests.support.shards import film_camera
from zones.calibration import CalibrationSpec, PointPair
from zones.engine import RuleEngine
from zones.rules.blind_spot import BlindSpotSpec
from zones.rules.fall import FallSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.proximity import ProximitySpec
from zones.specs import RuleSpec, ZoneSpec

CLOCK = SystemClock()
HUNG = Hung()
FAR = ((-1.5, 18.0), (1.5, 18.0), (1.5, 21.0), (-1.5, 21.0))
TOO_FAR = ((-1.5, 34.0), (1.5, 34.0), (1.5, 37.0), (-1.5, 37.0))
KEEP_OUT = IntrusionSpec(id="keep-out", name="Keep out", zone_id="zone")
SIZE = (1920, 1080)
HALL = ((0.1, 0.5), (0.9, 0.5), (0.9, 0.9), (0.1, 0.9))


def calibrated(camera_id: str, hung: Hung = HUNG, **fields: object) -> CameraSpec:
    grid = [(float(x), float(y)) for x in (-3, 0, 3) for y in (6, 9, 14)]
    places = [(x + hung.place_m[0], y + hung.place_m[1]) for x, y in grid]
    pairs = tuple(
        PointPair(picture=(float(x), float(y)), plan_m=place)
        for (x, y), place in zip(hung.project(np.array(places)), places, strict=True)
    )
    calibration = CalibrationSpec(pairs=pairs)
    return film_camera(camera_id).model_copy(update={"calibration": calibration, **fields})


def configuration(
    *cameras: CameraSpec, rules: tuple[RuleSpec, ...] = (KEEP_OUT,), floor_m: object = FAR
) -> Configure:
    zone = ZoneSpec.model_validate({"id": "zone", "name": "Zone", "floor_m": floor_m})
    return Configure(
        revision=1,
        rule_revisions={rule.id: 1 for rule in rules},
        cameras=cameras,
        zones=(zone,),
        rules=rules,
    )


class Site:
    """Lanes that have seen one picture, and their planner."""

    def __init__(self, message: Configure, *, seen: bool = True) -> None:
        self.costs = NetworkCosts()
        self.costs.put((640, 384), 20.0)
        self.planner = Planner(self.costs)
        self.parts: dict[str, Part] = {
            camera.id: part_of(message, camera) for camera in message.cameras
        }
        self.lanes = {key: lane(part, seen=seen) for key, part in self.parts.items()}

    async def plan(self, *, cameras_in_all: int = 0) -> Mapping[str, Outlook] | None:
        return await self.planner.plan(self.parts, self.lanes, cameras_in_all=cameras_in_all)


def lane(part: Part, *, seen: bool) -> Lane:
    rules = RuleEngine(
        camera_id=part.spec.id,
        zones=part.zones,
        rules=part.rules,
        rule_revisions=part.rule_revisions,
        new_id=lambda: "",
        calibration=part.calibration,
    )
    made = Lane(part.spec, CameraWorker(part.spec, clock=CLOCK), rules, {}, now=CLOCK.now())
    picture = np.zeros((1, 1, 3), np.uint8)
    if seen:
        made.newest = Frame(
            camera_id=part.spec.id,
            sequence=1,
            captured_at=CLOCK.now(),
            width_px=SIZE[0],
            height_px=SIZE[1],
            picture=picture,
            full=WholePicture(picture),
        )
    return made


async def outlook_of(message: Configure, camera_id: str = "cam-1", **known: int) -> Outlook:
    outlooks = await Site(message).plan(**known)
    assert outlooks is not None
    return outlooks[camera_id]


@pytest.mark.parametrize(
    ("more", "whole_always"),
    [
        ((), False),
        ((FallSpec(id="fall", name="Fall", zone_id="zone"),), False),
        ((BlindSpotSpec(id="blind", name="Blind"),), False),
        ((FallSpec(id="fall", name="Fall"),), True),
        ((FallSpec(id="fall", name="Fall", enabled=False),), False),
        ((ProximitySpec(id="near", name="Near", zone_id="zone"),), True),
    ],
)
async def test_rules_about_more_than_people_in_zones_get_the_whole_picture_of_every_frame(
    more: tuple[RuleSpec, ...], *, whole_always: bool
) -> None:
    """Beside the close-up; at 22 frames/s there is no time for both."""
    camera = calibrated("cam-1", max_fps=22.0)
    outlook = await outlook_of(configuration(camera, rules=(KEEP_OUT, *more)))
    looks = bool(outlook.plan.regions), outlook.plan.context_s
    assert looks == ((False, 0.0) if whole_always else (True, CONTEXT_S))
    slower = calibrated("cam-1", max_fps=10.0)
    outlook = await outlook_of(configuration(slower, rules=(KEEP_OUT, *more)))
    assert (bool(outlook.plan.regions), outlook.plan.context_s) == (True, 0.0)


async def test_whoever_wants_the_whole_picture_alone_gets_it() -> None:
    outlook = await outlook_of(configuration(calibrated("cam-1", analysis="full_frame")))
    assert (outlook.plan.regions, outlook.plan.width) == ((), 640)
    assert outlook.missed == {"zone"}
    assert outlook.doubtful_rules == {"keep-out"}


async def test_other_shards_have_their_share_of_the_machine() -> None:
    message = configuration(calibrated("cam-1"))
    alone, one_of_ten = await outlook_of(message), await outlook_of(message, cameras_in_all=10)
    assert (len(alone.plan.regions), len(one_of_ten.plan.regions)) == (1, 0)


async def test_a_zone_that_another_camera_sees_well_is_not_missed() -> None:
    near = Hung(place_m=(0.0, 24.0))
    message = configuration(calibrated("far"), calibrated("near", near), floor_m=TOO_FAR)
    outlooks = await Site(message).plan()
    assert outlooks is not None
    assert outlooks["far"].plan.unresolved == ("zone",)
    assert outlooks["far"].doubtful_rules == {"keep-out"}
    assert (outlooks["far"].missed, outlooks["near"].missed) == (frozenset(), frozenset())


async def test_a_zone_too_far_for_all_cameras_is_missed_if_a_rule_watches_it() -> None:
    off = KEEP_OUT.model_copy(update={"enabled": False})
    for rules, missed in (((KEEP_OUT,), {"zone"}), ((off,), set()), ((), set())):
        message = configuration(calibrated("cam-1"), rules=rules, floor_m=TOO_FAR)
        outlook = await outlook_of(message)
        assert outlook.plan.unresolved == ("zone",)
        assert outlook.missed == missed


async def test_a_camera_that_has_shown_nothing_has_no_plan() -> None:
    assert await Site(configuration(calibrated("cam-1")), seen=False).plan() == {}


async def test_nothing_is_planned_again_before_something_changes() -> None:
    site = Site(configuration(calibrated("cam-1")))
    assert await site.plan() is not None
    assert await site.plan() is None
    site.costs.put((640, 384), 40.0)
    assert await site.plan() is not None
    site.planner.forget()
    assert await site.plan() is not None


async def test_where_frames_are_lost_less_is_planned_with_until_it_has_been_calm() -> None:
    site = Site(configuration(calibrated("cam-1")))
    (lane,) = site.lanes.values()
    frame = lane.newest
    assert frame is not None

    async def close_ups(*, lost: int, looks: int = 1) -> int | None:
        """After so many looks with 20 frames each, so many of them lost."""
        newest = None
        for _ in range(looks):
            lane.frames_analysed += 20 - lost
            for _ in range(lost):
                lane.worker.slot.put(frame)
            outlooks = await site.plan()
            newest = newest if outlooks is None else len(outlooks["cam-1"].plan.regions)
        return newest

    lane.worker.slot.put(frame)
    assert await close_ups(lost=0) == 1
    assert await close_ups(lost=2) is None
    assert await close_ups(lost=10, looks=6) == 0
    assert await close_ups(lost=2, looks=CALM_PLANS - 1) is None
    assert await close_ups(lost=2) == 1


async def test_what_is_noted_down_makes_the_same_plans_again(tmp_path: Path) -> None:
    """Calibrated, learned, and neither; a replay reads the note of whichever shard it was."""
    zone = ZoneSpec(id="hall", name="Hall", camera_id="plain", polygon=HALL)
    rules = (KEEP_OUT, KEEP_OUT.model_copy(update={"id": "hall", "zone_id": "hall"}))
    message = configuration(calibrated("far"), film_camera("plain"), rules=rules)
    message = message.model_copy(update={"zones": (*message.zones, zone)})
    site = Site(message)
    for number in range(24):  # rows further down the picture show people taller
        y = 0.4 + 0.2 * (number % 3)
        somebody = person(number, (0.5, y), height=y / 2)
        site.lanes["plain"].heights.add([somebody], 16 / 9, float(number))
    outlooks = await site.plan()
    assert outlooks is not None
    assert site.planner.planned_with is not None
    assert len(outlooks["far"].plan.regions) == 1
    assert outlooks["plain"].plan.zone_px["hall"] is not None, "its heights were learned"
    write_note(tmp_path / "looks" / "shard-0.json", note_of(site.planner.planned_with))
    (tmp_path / "looks" / "torn.json").write_text("{", encoding="utf-8")
    [note] = read_notes(tmp_path / "looks")
    assert plans_as_noted([*site.parts.values()], note) == {
        key: each.plan for key, each in outlooks.items()
    }
    film = Film(path=tmp_path, camera_id="far", width_px=SIZE[0], height_px=SIZE[1])
    spec = SiteSpec(name="Site", cameras=message.cameras, zones=message.zones)
    assert plan_of(spec, rules, film, note) == outlooks["far"].plan
    assert plan_of(spec, rules[1:], film, note).regions == (), "nothing of it is watched then"
