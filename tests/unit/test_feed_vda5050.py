"""VDA 5050: from a vehicle's words to a place on the plan, and everything that can be wrong."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from safety.clock import ManualClock
from tests.support.third_party import third_party
from zones.feeds.payload import Refused
from zones.feeds.plan import PlanArea
from zones.feeds.port import FeedPort
from zones.feeds.vda5050 import Vda5050Feed, Vda5050Spec, VdaVehicle
from zones.feeds.vda5050_map import MapPoint, VdaMap, fit
from zones.feeds.vehicles import VehicleSpec

AREA = PlanArea(left_m=0, bottom_m=0, right_m=40, top_m=30)
STRAIGHT = VdaMap(
    map_id="hall",
    points=(
        MapPoint(map_m=(0, 0), plan_m=(0, 0)),
        MapPoint(map_m=(10, 0), plan_m=(10, 0)),
        MapPoint(map_m=(0, 10), plan_m=(0, 10)),
    ),
)
TURNED = VdaMap(
    map_id="hall",
    points=(MapPoint(map_m=(0, 0), plan_m=(20, 10)), MapPoint(map_m=(10, 0), plan_m=(20, 20))),
)
"""A quarter turn to the left, and a shift."""


class Vehicle:
    """A feed without a broker, and a vehicle that speaks to it."""

    def __init__(
        self,
        *,
        map_: VdaMap = STRAIGHT,
        version: str = "2.1.0",
        serial: str = "7",
        **vehicle: Any,
    ) -> None:
        self.serial = serial
        self.clock = ManualClock()
        self.version = version
        self.numbers: dict[str, int] = {}
        self.port = FeedPort(
            "amrs",
            "vda5050",
            machine_ids=(),
            vehicle_ids=("amr",),
            stale_after_s=5.0,
            clock=self.clock,
            changed=lambda: None,
        )
        spec = Vda5050Spec(
            id="amrs",
            name="AMRs",
            host="broker",
            vehicles=(VdaVehicle(vehicle_id="amr", manufacturer="demo", serial=serial),),
            maps=(map_,),
        )
        vehicles = {"amr": VehicleSpec(id="amr", name="AMR", **vehicle)}
        self.feed = Vda5050Feed(spec, self.port, vehicles=vehicles, area=AREA, clock=self.clock)

    def say(self, topic: str, *, retained: bool = False, **fields: Any) -> str:
        """Send a message; returns what it was refused as, or an empty text."""
        number = self.numbers.get(topic, 0)
        self.numbers[topic] = number + 1
        at = datetime.fromtimestamp(self.clock.now().wall, UTC).isoformat()
        body = {
            "headerId": number,
            "timestamp": at,
            "version": self.version,
            "manufacturer": "demo",
            "serialNumber": self.serial,
        } | fields
        return self.send(topic, json.dumps(body).encode(), retained=retained)

    def send(self, topic: str, payload: bytes, *, retained: bool = False) -> str:
        try:
            self.feed.take(f"uagv/v2/demo/{self.serial}/{topic}", payload, retained=retained)
        except Refused as refusal:
            return refusal.reason
        return ""

    def place(self) -> tuple[float, float] | None:
        """Where the plan has it, or None."""
        pose = self.port.pose("amr", self.clock.now())
        return None if pose is None else (pose.x_m, pose.y_m)


def at(x: float, y: float, theta: float = 0.0, **fields: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "theta": theta, "mapId": "hall", "positionInitialized": True} | fields


def test_the_map_is_turned_and_shifted_and_so_are_velocities() -> None:
    vehicle = Vehicle(map_=TURNED)
    said = vehicle.say(
        "visualization",
        agvPosition=at(4, 1, math.pi / 2, deviationRange=0.4),
        velocity={"vx": 1.0, "vy": 0.0, "omega": 0.2},
    )
    assert said == ""
    pose = vehicle.port.pose("amr", vehicle.clock.now())
    assert pose is not None
    assert (pose.x_m, pose.y_m) == pytest.approx((19, 14))
    # On its map it drives along y; the plan has that a quarter turn further: along -x.
    assert pose.velocity_mps == pytest.approx((-1.0, 0.0))
    assert abs(pose.heading_rad) == pytest.approx(math.pi)
    assert pose.yaw_rate_radps == 0.2
    assert pose.covariance_m2 == pytest.approx((0.04, 0.0, 0.04))


@given(
    turn=st.floats(-math.pi, math.pi),
    shift=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    place=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    scale=st.floats(0.95, 1.05),
)
def test_any_two_points_tell_the_whole_map(
    turn: float, shift: tuple[float, float], place: tuple[float, float], scale: float
) -> None:
    def move(x: float, y: float) -> tuple[float, float]:
        cos, sin = scale * math.cos(turn), scale * math.sin(turn)
        return x * cos - y * sin + shift[0], x * sin + y * cos + shift[1]

    found = fit([MapPoint(map_m=p, plan_m=move(*p)) for p in ((0.0, 0.0), (7.0, 3.0))])
    assert found.point(*place) == pytest.approx(move(*place), abs=1e-6)
    assert found.residual_m == pytest.approx(0, abs=1e-6)
    assert found.scale == pytest.approx(scale)


def test_the_residual_of_more_points_is_told() -> None:
    found = fit(
        [
            MapPoint(map_m=(0, 0), plan_m=(0, 0)),
            MapPoint(map_m=(10, 0), plan_m=(10, 0)),
            MapPoint(map_m=(10, 10), plan_m=(10.3, 10)),
            MapPoint(map_m=(0, 10), plan_m=(0, 10)),
        ]
    )
    assert 0.05 < found.residual_m < 0.3


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([((0, 0), (0, 0))], "at least 2"),
        ([((0, 0), (0, 0)), ((0.1, 0), (0.1, 0))], "too near"),
        ([((0, 0), (0, 0)), ((10, 0), (1000, 0))], "scale 100"),
        ([((0, 0), (0, 0)), ((10, 0), (10, 0)), ((0, 10), (0, -10))], "residual"),
        ([((0, 0), (0, 0)), ((math.nan, 0), (10, 0))], "finite"),
    ],
)
def test_maps_that_cannot_be(points: list[Any], why: str) -> None:
    pairs = [{"map_m": there, "plan_m": here} for there, here in points]
    with pytest.raises(ValidationError, match=why):
        VdaMap.model_validate({"map_id": "hall", "points": pairs})


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2.0.0", {"agvPosition": at(3, 4)}),
        ("2.1.0", {"agvPosition": at(3, 4), "somethingNew": {"a": 1}}),
        ("3.0.0", {"mobileRobotPosition": {"x": 3, "y": 4, "theta": 0, "mapId": "hall",
                                           "localized": True}}),
    ],
)  # fmt: skip
def test_all_versions_are_understood(version: str, fields: dict[str, Any]) -> None:
    vehicle = Vehicle(version=version)
    assert vehicle.say("state", **fields) == ""
    assert vehicle.place() == (3, 4)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("NaN", {"agvPosition": at(math.nan, 1)}, "not_json"),
    ("infinite", {"agvPosition": at(math.inf, 1)}, "not_json"),
    ("huge", {"agvPosition": at(1e9, 1)}, "absurd"),
    ("huge integer", {"agvPosition": at(10**400, 1)}, "absurd"),
    ("angle in degrees", {"agvPosition": at(1, 1, 90)}, "absurd"),
    ("speed of a train", {"agvPosition": at(1, 1), "velocity": {"vx": 60.0}}, "absurd"),
    ("far off the plan", {"agvPosition": at(500, 1)}, "off_plan"),
    ("unknown map", {"agvPosition": at(1, 1, mapId="other")}, "unknown_map"),
    ("text for a number", {"agvPosition": {**at(1, 1), "x": "3"}}, "schema"),
    ("list for a position", {"agvPosition": [1, 2]}, "schema"),
    ("no map", {"agvPosition": {"x": 1, "y": 1, "theta": 0}}, "schema"),
    ("negative deviation", {"agvPosition": at(1, 1, deviationRange=-1)}, "schema"),
    ("version 1", {"version": "1.1", "agvPosition": at(1, 1)}, "schema"),
    ("another vehicle", {"serialNumber": "8", "agvPosition": at(1, 1)}, "unknown_vehicle"),
    ("header of the wrong type", {"headerId": "a", "agvPosition": at(1, 1)}, "schema"),
    ("no time", {"timestamp": "noon", "agvPosition": at(1, 1)}, "wrong_type"),
]


@pytest.mark.parametrize(("fields", "reason"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_cannot_be_is_refused_and_never_becomes_a_position(
    fields: dict[str, Any], reason: str
) -> None:
    vehicle = Vehicle()
    vehicle.say("visualization", agvPosition=at(5, 5))
    assert vehicle.say("visualization", **fields) == reason
    assert vehicle.place() in {(5, 5), None}
    vehicle.clock.advance(2.1)
    assert vehicle.place() is None


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'"x"', b"\x00\xff", b"{}" * 2])
def test_messages_that_are_none(payload: bytes) -> None:
    vehicle = Vehicle()
    assert vehicle.send("state", payload) in {"not_json", "schema"}


def test_an_unknown_map_is_said_and_loses_the_vehicle_until_it_is_back() -> None:
    vehicle = Vehicle()
    vehicle.say("visualization", agvPosition=at(5, 5))
    vehicle.say("visualization", agvPosition=at(5, 5, mapId="first floor"))
    assert vehicle.place() is None
    assert vehicle.port.lost_reason("amr") == "unknown_map"
    notice = vehicle.port.notices["unknown_map", "amr"]
    assert notice.params == {"map": "first floor"}
    vehicle.say("visualization", agvPosition=at(5, 5))
    assert vehicle.place() == (5, 5)
    assert not [key for key, _ in vehicle.port.notices if key == "unknown_map"]


def test_two_senders_in_one_name_are_noticed_and_neither_is_believed() -> None:
    vehicle = Vehicle()
    for turn in range(4):
        vehicle.say("visualization", headerId=1000 + turn, agvPosition=at(5, 5))
        vehicle.clock.advance(0.1)
        said = vehicle.say("visualization", headerId=turn, agvPosition=at(25, 5))
        vehicle.clock.advance(0.1)
    assert said == "two_publishers"
    assert vehicle.place() is None
    assert vehicle.port.lost_reason("amr") == "two_publishers"
    assert ("two_publishers", "amr") in vehicle.port.notices
    vehicle.clock.advance(11)
    assert vehicle.say("visualization", headerId=2000, agvPosition=at(5, 5)) == ""
    assert ("two_publishers", "amr") not in vehicle.port.notices


def test_a_vehicle_that_restarts_its_numbers_is_still_one_vehicle() -> None:
    vehicle = Vehicle()
    for number in (50, 51, 53, 0, 1, 2):
        assert vehicle.say("state", headerId=number, agvPosition=at(5, 5)) == ""
    assert vehicle.place() == (5, 5)


def test_two_masters_are_noticed_and_one_other_where_we_may_ask_to_pause() -> None:
    vehicle = Vehicle(may_pause=True)
    actions: dict[str, Any] = {"actions": []}
    vehicle.say("instantActions", headerId=5, **actions)
    assert ("other_master", "amr") in vehicle.port.notices
    for turn in range(4):
        vehicle.say("instantActions", headerId=1000 + turn, **actions)
        vehicle.say("instantActions", headerId=10 + turn, **actions)
    assert ("two_masters", "amr") in vehicle.port.notices


@pytest.mark.parametrize(
    ("state", "reason"),
    [("OFFLINE", "offline"), ("HIBERNATING", "offline"), ("CONNECTIONBROKEN", "silent"),
     ("CONNECTION_BROKEN", "silent")],
)  # fmt: skip
def test_the_last_will_loses_the_vehicle_at_once(state: str, reason: str) -> None:
    vehicle = Vehicle()
    vehicle.say("visualization", agvPosition=at(5, 5))
    assert vehicle.say("connection", connectionState="ONLINE", retained=True) == ""
    assert vehicle.place() == (5, 5)
    assert vehicle.say("connection", connectionState=state) == ""
    assert vehicle.place() is None
    assert vehicle.port.lost_reason("amr") == reason


def test_lost_when_silent_when_it_does_not_know_itself_and_before_its_first_word() -> None:
    vehicle = Vehicle()
    assert vehicle.port.lost_reason("amr") == "never_heard"
    vehicle.say("visualization", agvPosition=at(5, 5))
    vehicle.clock.advance(1.9)
    assert vehicle.place() == (5, 5)
    vehicle.clock.advance(0.2)
    assert vehicle.place() is None
    assert vehicle.port.lost_reason("amr") == "silent"
    vehicle.say("visualization", agvPosition=at(5, 5, positionInitialized=False))
    assert vehicle.port.lost_reason("amr") == "not_localised"


def test_a_retained_position_says_nothing() -> None:
    vehicle = Vehicle()
    assert vehicle.say("state", retained=True, agvPosition=at(5, 5)) == "retained"
    assert vehicle.place() is None


def test_a_clock_that_is_hours_off_does_no_harm_and_is_said() -> None:
    vehicle = Vehicle()
    for turn in range(5):
        wrong = vehicle.clock.now().wall - 9 * 3600
        stamp = datetime.fromtimestamp(wrong, UTC).isoformat()
        vehicle.say("visualization", timestamp=stamp, agvPosition=at(5 + turn, 5))
        vehicle.clock.advance(0.2)
    assert vehicle.place() == (9, 5)
    assert vehicle.port.notices["clock_skew", "amr"].params == {"seconds": -32400.0}


def test_the_outline_is_the_settings_else_the_factsheets_else_assumed_and_said() -> None:
    unknown = Vehicle()
    unknown.say("visualization", agvPosition=at(5, 5))
    pose = unknown.port.pose("amr", unknown.clock.now())
    assert pose is not None
    assert np.ptp(pose.footprint_m, axis=0).tolist() == [1.6, 1.2]
    assert ("no_footprint", "amr") in unknown.port.notices
    points = [{"x": x, "y": y} for x, y in ((0.6, 0.3), (-0.4, 0.3), (-0.4, -0.3), (0.6, -0.3))]
    outline = {"envelopes2d": [{"set": "drive", "polygonPoints": points}]}
    assert unknown.say("factsheet", agvGeometry=outline, retained=True) == ""
    unknown.say("visualization", agvPosition=at(5, 5))
    pose = unknown.port.pose("amr", unknown.clock.now())
    assert pose is not None
    assert np.ptp(pose.footprint_m, axis=0).tolist() == pytest.approx([1.0, 0.6])
    assert ("no_footprint", "amr") not in unknown.port.notices
    told = Vehicle(footprint_m=((2, 1), (-2, 1), (-2, -1), (2, -1)))
    told.say("factsheet", physicalParameters={"length": 1.0, "width": 1.0})
    told.say("visualization", agvPosition=at(5, 5))
    pose = told.port.pose("amr", told.clock.now())
    assert pose is not None
    assert np.ptp(pose.footprint_m, axis=0).tolist() == [4.0, 2.0]


def test_a_vehicle_that_does_not_say_its_velocity_is_measured() -> None:
    vehicle = Vehicle()
    for turn in range(4):
        vehicle.say("visualization", agvPosition=at(5 + 0.3 * turn, 5, math.pi / 6))
        vehicle.clock.advance(0.2)
    pose = vehicle.port.pose("amr", vehicle.clock.now())
    assert pose is not None
    assert pose.velocity_mps == pytest.approx((1.5, 0.0), abs=1e-6)


@given(st.binary(max_size=300), st.sampled_from(["state", "visualization", "connection"]))
def test_no_bytes_break_it(payload: bytes, topic: str) -> None:
    assert Vehicle().send(topic, payload) in {"not_json", "schema"}


@pytest.mark.third_party
def test_a_recorded_drive_is_where_the_truth_has_it() -> None:
    scene = third_party("scenes/amr_crossing")
    truth = json.loads((scene / "truth.json").read_text())
    vehicle = Vehicle(serial="amr1")
    clock, port = vehicle.clock, vehicle.port
    began, errors = clock.now(), []
    frames = {round(frame["t"], 3): frame for frame in truth["frames"]}
    for line in (scene / "vda5050.jsonl").read_text().splitlines():
        stamp = datetime.fromisoformat(json.loads(line)["timestamp"])
        t = stamp.timestamp() - datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()
        clock.advance(began.monotonic + t - clock.now().monotonic)
        assert vehicle.send("state", line.encode()) == ""
        pose = port.pose("amr", clock.now())
        frame = frames.get(round(t, 3))
        if frame is not None and pose is not None:
            real = frame["vehicles"][0]
            errors.append(math.dist((pose.x_m, pose.y_m), (real["x"], real["y"])))
            assert math.hypot(*pose.velocity_mps) == pytest.approx(real["v_mps"], abs=0.02)
    assert len(errors) > 20
    assert max(errors) < 0.02
    assert not port.refusals
