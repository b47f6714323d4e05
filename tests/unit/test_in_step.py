"""Films and a made-up plant that begin at the same time keep in step."""

import threading
from pathlib import Path

import pytest

from cameras.file import FileSource
from cameras.specs import FileSpec
from safety.app.demo import demo_spec
from safety.clock import Instant, ManualClock
from safety.demo import SITE
from safety.types import MachineState, VehiclePose
from zones.feeds.port import FeedPort
from zones.feeds.simulated import SimulatedFeed, SimulatedSpec, SimulatedVehicle
from zones.survey import solve

FILM = SITE.parent / "scenes" / "cell_intrusion.mp4"
LENGTH_S = 10.5


def first_packet(clock: ManualClock, begins_at: float | None, *, loop: bool = True) -> float | None:
    """Seconds from the film's first picture to the one that is shown first; None: it is over."""
    spec = FileSpec(path=FILM, loop=loop, begins_at=begins_at)
    source = FileSource(spec, clock=clock, cancelled=threading.Event())
    try:
        packet = next(source.packets(), None)
        return None if packet is None else _film_time(packet.data)
    finally:
        source.close()


def _film_time(data: bytes) -> float:
    """Where in the film a key frame is: key frames come once a second."""
    import av

    with av.open(str(FILM)) as container:
        annex_b = av.BitStreamFilterContext("h264_mp4toannexb", container.streams.video[0])
        for raw in container.demux(video=0):
            for packet in annex_b.filter(raw):
                if packet.is_keyframe and bytes(packet)[-200:] == data[-200:]:
                    return float((packet.pts or 0) * packet.time_base)
    raise AssertionError("this picture is not in the film")


@pytest.mark.parametrize(
    ("played_s", "shown_s"),
    [(0.0, 0.0), (0.4, 0.0), (3.2, 3.0), (LENGTH_S + 5.0, 5.0), (-2.4, 8.0), (10 * LENGTH_S, 0.0)],
)
def test_a_film_goes_on_from_where_it_is_by_now(played_s: float, shown_s: float) -> None:
    clock = ManualClock()
    begins_at = clock.now().wall - played_s
    assert first_packet(clock, begins_at) == pytest.approx(shown_s, abs=0.06)


def test_without_a_beginning_it_begins_when_it_is_opened() -> None:
    assert first_packet(ManualClock(), None) == 0.0


def told(spec: SimulatedSpec, seconds: float) -> FeedPort:
    clock = ManualClock()
    port = FeedPort(
        spec.id,
        spec.kind,
        machine_ids=spec.machine_ids,
        vehicle_ids=spec.vehicle_ids,
        stale_after_s=5.0,
        clock=clock,
        changed=lambda: None,
    )
    vehicles = {each.id: each for each in demo_spec().plant.vehicles}
    feed = SimulatedFeed(spec, port, vehicles=vehicles, clock=clock)
    feed.tell(clock.now(), seconds)
    return port


def demo_feed() -> SimulatedSpec:
    [feed] = demo_spec().plant.feeds
    assert isinstance(feed, SimulatedSpec)
    return feed


@pytest.mark.parametrize(
    ("seconds", "x_m", "speed"),
    [(0, 4.95, 1.2), (2.0, 7.35, 1.2), (6.75, 11.55, 0), (11, 6.15, 1.2)],
)
def test_the_demo_s_vehicle_is_where_its_film_shows_it(
    seconds: float, x_m: float, speed: float
) -> None:
    """The figures are the film's own truth, laid on the demo's plan."""
    port = told(demo_feed(), seconds)
    pose = port.pose("amr-1", Instant(monotonic=0.0, wall=0.0))
    assert isinstance(pose, VehiclePose)
    assert pose.x_m == pytest.approx(x_m, abs=0.02)
    assert pose.y_m == pytest.approx(9.55, abs=0.02)
    assert pose.velocity_mps[0] == pytest.approx(speed, abs=0.05)
    assert pose.heading_rad == pytest.approx(0.0, abs=0.05)


def test_the_demo_s_robot_runs_for_whole_laps_of_its_film() -> None:
    robot = next(each for each in demo_feed().machines if each.machine_id == "robot")
    assert all(step.seconds % LENGTH_S == 0 for step in robot.cycle)
    assert robot.at(0.0) is MachineState.RUNNING


def test_the_demo_s_cameras_that_are_calibrated_look_at_different_floors() -> None:
    site = demo_spec()
    calibrated = {each.id: each.calibration for each in site.cameras if each.calibration}
    assert set(calibrated) == {"robot-cell", "amr-aisle"}
    [zone] = [each for each in site.zones if each.floor_m is not None]
    assert zone.floor_m is not None
    seen = [name for name, each in calibrated.items() if solve(each).picture_polygon(zone.floor_m)]
    assert seen == ["amr-aisle"]


def test_everything_that_is_made_up_says_so() -> None:
    plant = demo_spec().plant
    parts = [*plant.machines, *plant.vehicles, *plant.feeds]
    assert all("시뮬레이션" in each.name for each in parts)
    assert {feed.kind for feed in plant.feeds} == {"simulated"}


@pytest.mark.parametrize("times", [(0.0,), (0.0, 0.0), (-1.0, 2.0)])
def test_times_that_do_not_fit_the_route_are_refused(times: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="one rising time"):
        SimulatedVehicle(vehicle_id="amr", route_m=((0, 0), (5, 0)), passes_s=times)


def test_the_films_are_there() -> None:
    for camera in demo_spec().cameras:
        assert Path(getattr(camera.source, "path", "")).is_file()
