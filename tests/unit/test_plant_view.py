"""Feeds on the health page: what the engine says of them, in the reader's language."""

from pathlib import Path

from starlette.requests import Request

from cameras.messages import FeedInfo, FeedNotice, MachineInfo, PlantStatus
from cameras.wire import encode
from dashboard.hub import Hub
from dashboard.plant_view import read_feeds
from dashboard.visit import Services, SiteView, Visit
from safety.clock import SystemClock
from safety.config import Settings
from safety.site.spec import SiteSpec
from safety.store.database import Database
from safety.types import MachineState
from tests.support.live import WordyEngine
from tests.support.waiting import until
from zones.feeds.simulated import SimulatedMachine, SimulatedSpec
from zones.feeds.vehicles import MachineSpec
from zones.plant import PlantSpec

SITE = SiteSpec(
    name="Works",
    plant=PlantSpec(
        machines=(MachineSpec(id="press", name="프레스 1"),),
        feeds=(
            SimulatedSpec(id="a", name="A", machines=(SimulatedMachine(machine_id="press"),)),
            SimulatedSpec(id="b", name="B"),
            SimulatedSpec(id="c", name="C"),
            SimulatedSpec(id="d", name="D", enabled=False),
        ),
    ),
)


def feed(feed_id: str, **changes: object) -> FeedInfo:
    values = {
        "feed_id": feed_id,
        "kind": "simulated",
        "connected": True,
        "problem_key": None,
        "problem": None,
        "problem_params": {},
        "messages": 3,
        "refused": {},
        "last_refusal": "",
        "age_s": 0.1,
        "notices": (),
    }
    return FeedInfo.model_validate(values | changes)


async def test_problems_oddities_and_states_are_said_in_the_readers_words(tmp_path: Path) -> None:
    settings, clock = Settings(data_dir=tmp_path), SystemClock()
    hub = Hub(settings, clock)
    services = Services(
        settings=settings, database=Database(settings.database), hub=hub, clock=clock
    )
    visit = Visit(
        request=Request({"type": "http", "headers": []}),
        services=services,
        site=SiteView(language="ko"),
        identity=None,
    )
    assert [(view.known, view.well) for view in read_feeds(visit, SITE)] == [(False, False)] * 3
    press = MachineInfo(
        machine_id="press",
        state=MachineState.IDLE,
        value="idle",
        age_s=0.1,
        reason="",
        feed_id="a",
    )
    status = PlantStatus(
        at=clock.now(),
        machines=(press,),
        vehicles=(),
        lost_vehicles={},
        feeds=(
            feed("a"),
            feed("b", notices=[FeedNotice(key="flapping", subject="press", params={})]),
            feed(
                "c",
                connected=False,
                problem_key="feed.modbus",
                problem="the device does not answer (timeout)",
                problem_params={"why": "timeout"},
            ),
        ),
        active_shifts=(),
        muted_zones=(),
    )
    engine = WordyEngine(settings, {})
    await engine.start()
    await hub.start()
    try:
        await until(lambda: hub.engine_connected)
        engine.say(encode(status))
        await until(lambda: hub.plant_status() is not None)
        views = read_feeds(visit, SITE)
    finally:
        await hub.stop()
        await engine.stop()
    assert [(view.name, view.well) for view in views] == [("A", True), ("B", False), ("C", False)]
    assert views[0].detail == "프레스 1: 정지"
    assert views[1].detail.startswith("프레스 1의 상태가 너무 자주")
    assert views[2].detail == "장치가 응답하지 않습니다(timeout)."
