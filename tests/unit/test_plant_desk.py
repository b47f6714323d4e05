"""What the plant says on its way to the rules; mutes; and a vehicle that is asked to pause."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from cameras.messages import MESSAGES, PlantStatus, PlantUpdate
from cameras.plant import PlantBoard
from safety.clock import Clock, Instant, ManualClock, SystemClock
from safety.engine.muting import MuteBook
from safety.engine.plant import UNKNOWN_FOR_S, PlantDesk
from safety.site.apply import apply_site
from safety.site.spec import SiteSpec
from safety.store import mutes
from safety.store.database import Database
from safety.store.tables import Mute
from safety.types import MachineState, ObjectClass, Phase, PlantState, Severity, Violation
from tests.support.mosquitto import Mosquitto
from tests.support.waiting import until
from zones.feeds.simulated import CycleStep, SimulatedMachine, SimulatedSpec, SimulatedVehicle
from zones.feeds.twins.amr import SimulatedAmr
from zones.feeds.vda5050 import Vda5050Spec, VdaVehicle
from zones.feeds.vda5050_map import MapPoint, VdaMap
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import PlantSpec, ShiftSpec
from zones.specs import ZoneSpec

IDLE = CycleStep(state=MachineState.IDLE, seconds=60)
PLANT = PlantSpec(
    machines=(MachineSpec(id="press", name="Press"), MachineSpec(id="lathe", name="Lathe")),
    vehicles=(
        VehicleSpec(id="amr", name="AMR"),
        VehicleSpec(id="truck", name="Truck", kind="forklift"),
        VehicleSpec(id="away", name="Away", enabled=False),
    ),
    shifts=(
        ShiftSpec(
            id="always",
            name="Always",
            days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
            start=datetime(2026, 1, 1, 0, 0).time(),  # noqa: DTZ001
            end=datetime(2026, 1, 1, 0, 0).time(),  # noqa: DTZ001
            on_holidays=True,
        ),
    ),
    feeds=(
        SimulatedSpec(
            id="made-up",
            name="Made up",
            machines=(SimulatedMachine(machine_id="press", cycle=(IDLE,)),),
            vehicles=(SimulatedVehicle(vehicle_id="amr", route_m=((0, 0), (10, 0))),),
        ),
    ),
)
ZONE = ZoneSpec(id="cell", name="Cell", floor_m=((0, 0), (4, 0), (4, 4), (0, 4)))
SITE = SiteSpec(name="Works", plant=PLANT, zones=(ZONE,))


@dataclass
class Heard:
    """What came out of a desk."""

    updates: list[PlantUpdate] = field(default_factory=list)
    statuses: list[PlantStatus] = field(default_factory=list)
    not_paused: list[str] = field(default_factory=list)


@dataclass
class Desk:
    """A desk at work."""

    desk: PlantDesk
    heard: Heard
    registry: CollectorRegistry

    @property
    def newest(self) -> PlantUpdate:
        return self.heard.updates[-1]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"anjeon_{name}", labels)


@asynccontextmanager
async def working(site: SiteSpec, database: Database, clock: Clock) -> AsyncIterator[Desk]:
    heard, registry = Heard(), CollectorRegistry()
    desk = PlantDesk(
        clock=clock,
        database=database,
        registry=registry,
        to_shards=heard.updates.append,
        to_dashboards=heard.statuses.append,
        not_paused=lambda vehicle_id, _: heard.not_paused.append(vehicle_id),
        shared_zones=dict,
    )
    await desk.configure(site)
    task = asyncio.create_task(desk.run())
    try:
        yield Desk(desk, heard, registry)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await desk.close()


@pytest.fixture
def record(tmp_path: Path) -> Database:
    """A record with the site in it."""
    database = Database(f"sqlite:///{tmp_path / 'anjeon.db'}")
    database.migrate()
    apply_site(database, SITE, by="test", now=datetime.now(UTC))
    return database


def violation(
    clock: Clock,
    *,
    rule_id: str = "near",
    phase: Phase = Phase.OPENED,
    subject: str = "person-1+amr",
    details: Mapping[str, object] | None = None,
    shadow: bool = False,
) -> Violation:
    now = clock.now()
    return Violation(
        id="a" * 32,
        revision=0,
        phase=phase,
        rule_id=rule_id,
        rule_revision=1,
        rule_kind="proximity",
        camera_id="hall",
        zone_id=None,
        subject=subject,
        severity=Severity.DANGER,
        captured_at=now,
        opened_at=now,
        shadow=shadow,
        details=details if details is not None else {"level": "stop", "reported": True},
    )


async def test_feeds_shifts_and_mutes_reach_shards_dashboards_and_metrics(
    record: Database,
) -> None:
    clock = SystemClock()
    async with working(SITE, record, clock) as desk:
        await until(lambda: bool(desk.newest.vehicles) if desk.heard.updates else False)
        newest = desk.newest
        assert newest.machines == {"press": MachineState.IDLE, "lathe": MachineState.UNKNOWN}
        assert [each.vehicle_id for each in newest.vehicles] == ["amr"]
        assert newest.lost_vehicles == ("truck",)
        assert newest.active_shifts == ("always",)
        assert newest.open_rules is None
        now = datetime.now(UTC)
        with record.transaction() as session:
            mute = mutes.begin(
                session,
                zone_id="cell",
                kind="lockout",
                person="Kim",
                reason="new gripper",
                ends_at=now + timedelta(hours=1),
                by="manager",
                at=now,
            )
            mute_id = mute.id
        desk.desk.look_at_mutes()
        await until(lambda: desk.newest.muted_zones == ("cell",))
        with record.transaction() as session:
            mutes.end(session, mute_id, by="manager", at=datetime.now(UTC))
        await until(lambda: desk.newest.muted_zones == ())
        status = desk.heard.statuses[-1]
        assert MESSAGES.validate_json(status.model_dump_json()) == status
        reasons = {each.machine_id: each.reason for each in status.machines}
        assert reasons == {"press": "", "lathe": "no_feed"}
        assert status.lost_vehicles == {"truck": "no_feed"}
        assert desk.metric("feed_connected", feed="made-up") == 1
        assert desk.metric("machine_state", machine="lathe", state="unknown") == 1
        assert desk.metric("vehicle_lost", vehicle="truck") == 1


async def test_open_rules_are_unknown_at_first_then_as_reported(record: Database) -> None:
    clock = ManualClock()
    desk = PlantDesk(
        clock=clock,
        database=record,
        registry=CollectorRegistry(),
        to_shards=lambda _: None,
        to_dashboards=lambda _: None,
        not_paused=lambda *_: None,
        shared_zones=dict,
    )
    desk.violation(violation(clock))
    assert desk.update(clock.now()).open_rules is None
    clock.advance(UNKNOWN_FOR_S)
    assert desk.update(clock.now()).open_rules == ("near",)
    desk.violation(violation(clock, phase=Phase.CLOSED))
    assert desk.update(clock.now()).open_rules == ()


def update(**changes: Any) -> PlantUpdate:
    values: dict[str, Any] = {
        "machines": {"press": "idle"},
        "vehicles": [
            {
                "vehicle_id": "amr",
                "kind": "amr",
                "age_s": 0.5,
                "x_m": 1.0,
                "y_m": 2.0,
                "heading_rad": 0.0,
                "velocity_mps": [1.0, 0.0],
                "yaw_rate_radps": 0.0,
                "covariance_m2": [0.01, 0.0, 0.01],
                "footprint_m": [[1, 1], [-1, 1], [-1, -1]],
            }
        ],
        "lost_vehicles": ["truck"],
        "muted_zones": ["cell"],
        "open_rules": ["near"],
        "active_shifts": ["day"],
    }
    return PlantUpdate.model_validate(values | changes)


def test_a_shard_without_an_engine_knows_nothing() -> None:
    clock = ManualClock()
    assert PlantBoard(clock=clock).state(clock.now()) == PlantState()


def test_a_shard_drives_vehicles_on_for_two_seconds_and_then_has_lost_them() -> None:
    clock = ManualClock()
    board = PlantBoard(clock=clock)
    board.take(update())
    pose = board.state(clock.now()).vehicles["amr"]
    assert (pose.x_m, pose.y_m, pose.kind) == (1.5, 2.0, ObjectClass.AMR)
    clock.advance(1.4)
    state = board.state(clock.now())
    assert state.vehicles["amr"].x_m == pytest.approx(2.9)
    assert state.lost_vehicles == {"truck"}
    clock.advance(0.2)
    state = board.state(clock.now())
    assert not state.vehicles
    assert state.lost_vehicles == {"truck", "amr"}


def test_a_silent_engine_arms_everything() -> None:
    clock = ManualClock()
    board = PlantBoard(clock=clock)
    board.take(update())
    assert board.state(clock.now()) == PlantState(
        machines={"press": MachineState.IDLE},
        vehicles=board.state(clock.now()).vehicles,
        lost_vehicles=frozenset({"truck"}),
        muted_zones=frozenset({"cell"}),
        open_rules=frozenset({"near"}),
        active_shifts=frozenset({"day"}),
    )
    clock.advance(2.1)
    assert board.state(clock.now()) == PlantState(
        machines={"press": MachineState.UNKNOWN}, lost_vehicles=frozenset({"truck", "amr"})
    )
    board.take(update(open_rules=None, active_shifts=None))
    assert board.state(clock.now()).muted_zones == {"cell"}
    assert board.state(clock.now()).open_rules is None


def mute(ends: Instant, mute_id: str = "m") -> Mute:
    at = datetime.fromtimestamp(ends.wall, UTC)
    return Mute(
        id=mute_id,
        zone_id="cell",
        kind="lockout",
        person="Kim",
        reason="x",
        started_at=at - timedelta(hours=1),
        started_by="m",
        ends_at=at,
    )


@pytest.mark.parametrize("jump_s", [0.0, -7200.0, 7200.0])
def test_no_clock_lengthens_a_mute(jump_s: float) -> None:
    clock, book = ManualClock(), MuteBook()
    only = mute(clock.now().shifted(100))
    book.read([only], clock.now())
    assert book.zones(clock.now()) == {"cell"}
    clock.jump(jump_s)
    book.read([only] if jump_s <= 0 else [], clock.now())
    clock.advance(99)
    assert book.zones(clock.now()) == ({"cell"} if jump_s <= 0 else set())
    clock.advance(2)
    book.read([only] if jump_s <= 0 else [], clock.now())
    assert book.zones(clock.now()) == set()


def test_a_mute_that_was_ended_in_the_record_is_over_and_another_one_stays() -> None:
    clock, book = ManualClock(), MuteBook()
    one, other = mute(clock.now().shifted(100)), mute(clock.now().shifted(50), "n")
    book.read([one, other], clock.now())
    book.read([other], clock.now())
    assert book.zones(clock.now()) == {"cell"}
    book.read([], clock.now())
    assert book.zones(clock.now()) == set()


def amr_site(broker: Mosquitto, *, may_pause: bool = True) -> SiteSpec:
    corners = ((0.0, 0.0), (10.0, 0.0))
    return SiteSpec(
        name="Works",
        plant=PlantSpec(
            vehicles=(VehicleSpec(id="amr", name="AMR", may_pause=may_pause),),
            feeds=(
                Vda5050Spec(
                    id="amrs",
                    name="AMRs",
                    host=broker.host,
                    port=broker.port,
                    vehicles=(VdaVehicle(vehicle_id="amr", manufacturer="anjeon", serial="amr-1"),),
                    maps=(
                        VdaMap(
                            map_id="hall",
                            points=tuple(MapPoint(map_m=each, plan_m=each) for each in corners),
                        ),
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(("obeys", "version"), [(True, "2.1.0"), (True, "3.0.0"), (False, "2.1.0")])
async def test_a_vehicle_is_asked_to_pause_once_and_somebody_is_told_if_it_does_not(
    record: Database, mosquitto: Mosquitto, obeys: bool, version: Any
) -> None:
    clock = SystemClock()
    amr = SimulatedAmr(
        host=mosquitto.host, port=mosquitto.port, clock=clock, obeys=obeys, version=version
    )
    driving = asyncio.create_task(amr.run())
    async with working(amr_site(mosquitto), record, clock) as desk:
        await until(lambda: bool(desk.heard.updates and desk.newest.vehicles))
        near = violation(clock)
        desk.desk.violation(near)
        desk.desk.violation(near)
        outcome = "confirmed" if obeys else "not_confirmed"
        await until(
            lambda: desk.metric("pause_requests_total", vehicle="amr", outcome=outcome) == 1
        )
        desk.desk.violation(near)
        assert desk.heard.not_paused == ([] if obeys else ["amr"])
        assert amr.paused == obeys
        (request,) = amr.requests
        (action,) = request["actions"]
        assert action["actionType"] == "startPause"
        assert action["blockingType"] == "HARD"
        desk.desk.violation(violation(clock, phase=Phase.CLOSED))
        assert amr.paused == obeys, "going on is for people"
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)
    assert len(amr.requests) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"details": {"level": "warning", "reported": True}},
        {"subject": "person-1+forklift-3"},
        {"shadow": True},
    ],
)
async def test_no_vehicle_is_asked_without_need(
    record: Database, mosquitto: Mosquitto, changes: dict[str, Any]
) -> None:
    clock = SystemClock()
    async with working(amr_site(mosquitto), record, clock) as desk:
        desk.desk.violation(violation(clock, **changes))
        await until(lambda: len(desk.heard.updates) > 2)
        assert desk.heard.not_paused == []


async def test_a_vehicle_that_cannot_be_asked_is_said_and_one_that_may_not_be_is_let_be(
    record: Database, mosquitto: Mosquitto
) -> None:
    clock = SystemClock()
    mosquitto.stop()
    async with working(amr_site(mosquitto), record, clock) as desk:
        desk.desk.violation(violation(clock))
        await until(lambda: desk.heard.not_paused == ["amr"])
    async with working(amr_site(mosquitto, may_pause=False), record, clock) as desk:
        desk.desk.violation(violation(clock))
        await until(lambda: len(desk.heard.updates) > 2)
        assert desk.heard.not_paused == []
