"""The live plan: who is where, and what can honestly be called watched."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cameras.messages import (
    AnyMessage,
    CameraStatus,
    PlanThing,
    PlantStatus,
    PlanUpdate,
    ReportedVehicle,
)
from cameras.wire import encode
from dashboard.hub import Hub
from dashboard.plan_live import FloorSite, floor_site, moving_part
from safety.clock import Instant, SystemClock
from safety.config import Settings
from safety.i18n import translator
from safety.types import CameraState, ObjectClass
from tests.support.floor_site import floor_spec
from tests.support.live import WordyEngine
from tests.support.waiting import until

CLOCK = SystemClock()


@asynccontextmanager
async def hearing(directory: Path, *words: AnyMessage) -> AsyncIterator[Hub]:
    """A hub to which an engine has said this, plan last."""
    settings = Settings(data_dir=directory)
    hub, engine = Hub(settings, CLOCK), WordyEngine(settings, {})
    await engine.start()
    await hub.start()
    try:
        await until(lambda: hub.engine_connected)
        for word in words:
            engine.say(encode(word))
        await until(lambda: hub.plan() is not None)
        yield hub
    finally:
        await hub.stop()
        await engine.stop()


def status(**changes: object) -> CameraStatus:
    now = CLOCK.now()
    values: dict[str, Any] = {"state": CameraState.LIVE, "reason": "ok", "since": now, "at": now}
    return CameraStatus(camera_id="press", shard="s", **(values | changes))


def plant(muted_zones: tuple[str, ...] = ()) -> PlantStatus:
    vehicle = ReportedVehicle(
        vehicle_id="amr-1",
        kind=ObjectClass.AMR,
        age_s=1.5,
        x_m=2.0,
        y_m=6.0,
        heading_rad=0.0,
        velocity_mps=(1.0, 0.0),
        yaw_rate_radps=0.0,
        covariance_m2=(0.0, 0.0, 0.0),
        footprint_m=((0.5, 0.4), (-0.5, 0.4), (-0.5, -0.4), (0.5, -0.4)),
    )
    return PlantStatus(
        at=CLOCK.now(),
        machines=(),
        vehicles=(vehicle,),
        lost_vehicles={},
        feeds=(),
        active_shifts=(),
        muted_zones=muted_zones,
    )


def update(at: Instant) -> PlanUpdate:
    person = PlanThing(
        id=4,
        x_m=0.5,
        y_m=6.0,
        covariance_m2=(0.04, 0.0, 0.01),
        velocity_mps=(0.0, 1.0),
        cameras=("press",),
    )
    return PlanUpdate(at=at, people=(person,), vehicles=())


def moment(site: FloorSite, hub: Hub) -> dict[str, Any]:
    return moving_part(site, hub, CLOCK, translator("en"))


@pytest.fixture
def site(tmp_path: Path) -> FloorSite:
    return floor_site(floor_spec(tmp_path), revision=3, endangered=frozenset())


async def test_people_and_vehicles_are_where_the_engine_says(
    tmp_path: Path, site: FloorSite
) -> None:
    async with hearing(tmp_path, status(), plant(), update(CLOCK.now())) as hub:
        told = moment(site, hub)
    (person,) = told["people"]
    assert person["at"] == (0.5, 6.0)
    assert person["axes"] == pytest.approx((0.49, 0.24), abs=0.01)
    (vehicle,) = told["vehicles"]
    assert vehicle["name"] == "AMR 1"
    # It is there now, not where it was plus the way since: 2.5 is its front.
    assert max(x for x, _ in vehicle["footprint"]) == 2.5
    # 1 m/s stops within 1.5 m with the usual settings, and 0.3 m are left.
    assert max(x for x, _ in vehicle["field"]) == pytest.approx(2.5 + 1.5 + 0.3, abs=0.05)
    assert told["count"] == "People: 1 · Vehicles: 1"


@pytest.mark.parametrize(
    ("changes", "muted", "endangered", "state"),
    [
        ({}, (), (), "watched"),
        ({"state": CameraState.DEGRADED}, (), (), "watched"),
        ({"state": CameraState.BLIND}, (), (), "unwatched"),
        ({"unresolved_zones": ("front",)}, (), (), "unwatched"),
        ({}, ("front",), (), "muted"),
        ({}, (), ("front",), "danger"),
        ({"state": CameraState.BLIND}, ("front",), ("front",), "unwatched"),
    ],
)
async def test_what_a_zone_on_the_floor_is_said_to_be(
    tmp_path: Path,
    changes: dict[str, object],
    muted: tuple[str, ...],
    endangered: tuple[str, ...],
    state: str,
) -> None:
    site = floor_site(floor_spec(tmp_path), revision=3, endangered=frozenset(endangered))
    async with hearing(tmp_path, status(**changes), plant(muted), update(CLOCK.now())) as hub:
        told = moment(site, hub)
    assert told["zones"]["front"]["state"] == state
    assert told["zones"]["store"]["state"] == "unwatched"
    assert not told["complete"], "nobody watches the store"
    assert "NOT MONITORED" in told["sentence"]


def test_without_a_word_nothing_is_watched(tmp_path: Path, site: FloorSite) -> None:
    told = moment(site, Hub(Settings(data_dir=tmp_path), CLOCK))
    assert told["cameras"]["press"]["state"] == "blind"
    assert {each["state"] for each in told["zones"].values()} == {"unwatched"}
    assert told["people"] == told["vehicles"] == []
    assert told["sentence"] == "The floor is NOT MONITORED"
