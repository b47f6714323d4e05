"""Streams fail: blindness is declared in time, counted, told, and ended when it ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from safety.demo import SITE
from tests.support.plant import RECORDING, MakePlant, Plant, cell_site
from tests.support.rtsp import Mount, RtspServer

CELL_FILM = SITE.parent / "scenes" / "cell_intrusion.mp4"
DECLARED_WITHIN_S = 3.0
BUSY_S = 5.0
"""Asking takes time of its own, and other tests run; the figure itself is measured by the
benchmarks."""


def watched_plant(make_plant: MakePlant, server: RtspServer) -> Plant:
    """A plant that watches the server's film and alerts after two blind seconds."""
    source = {"kind": "rtsp", "url": server.url("cell")}
    plant = make_plant(cell_site(source, [RECORDING], camera={"blind_alert_after_s": 2.0}))
    plant.start("engine")
    plant.wait_live("cell")
    return plant


def blind_s(plant: Plant) -> float:
    """Blind seconds on record since the camera was first live."""
    rows = plant.coverage("cell")
    first = next(i for i, row in enumerate(rows) if row.state == "live")
    return sum(row.seconds for row in rows[first:] if row.state == "blind")


def goes_blind_and_comes_back(plant: Plant, server: RtspServer, *, back: str) -> None:
    """Check declaration, alert, recovery and coverage; ``back`` ends the fault."""
    fault_at = plant.clock.now().monotonic
    plant.wait_for(
        lambda: plant.readiness().get("camera cell") not in {"ok", None},
        limit_s=DECLARED_WITHIN_S + BUSY_S,
        why="the camera is declared blind",
    )
    plant.wait_for(lambda: len(plant.alerts("camera_blind")) == 1, why="somebody is told")
    getattr(server, back)()
    plant.wait_live("cell")
    fault_s = plant.clock.now().monotonic - fault_at
    plant.wait_for(
        lambda: plant.alerts("camera_blind")[0].cleared_at is not None, why="the alert is cleared"
    )
    plant.wait_for(lambda: blind_s(plant) > 0, why="the blind time is on record")
    assert fault_s - DECLARED_WITHIN_S - BUSY_S <= blind_s(plant) <= fault_s + 1
    assert len(plant.alerts("camera_blind")) == 1


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("fault", "back", "named"),
    [
        ("kill", "restart", "stream ends"),
        pytest.param("pause", "resume", "stream stalls", marks=pytest.mark.faults_long),
    ],
)
def test_a_dead_or_stalled_server_is_a_blind_camera(
    make_plant: MakePlant, fault: str, back: str, named: str, cost: Callable[..., None]
) -> None:
    with RtspServer({"cell": CELL_FILM}) as server:
        plant = watched_plant(make_plant, server)
        getattr(server, fault)()
        goes_blind_and_comes_back(plant, server, back=back)
    how = {"kill": "the RTSP server is killed", "pause": "the RTSP server is stopped (SIGSTOP)"}
    cost("Camera", named, how[fault], alerts=1, covered=True)


@pytest.mark.faults_long
@pytest.mark.timeout(300)
def test_a_stream_that_turns_to_rubbish_is_blind_not_safe(
    make_plant: MakePlant, cost: Callable[..., None]
) -> None:
    with RtspServer({"cell": Mount(film=CELL_FILM, corrupt_after_s=6.0)}) as server:
        plant = watched_plant(make_plant, server)
        plant.wait_for(
            lambda: plant.readiness().get("camera cell") not in {"ok", None},
            why="the camera is declared blind",
        )
        plant.wait_for(lambda: len(plant.alerts("camera_blind")) >= 1, why="somebody is told")
        plant.wait_for(lambda: blind_s(plant) > 0, why="the blind time is on record")
    cost(
        "Camera", "stream is damaged", "its bytes are changed on their way", alerts=1, covered=True
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("mount", "password", "reason"),
    [
        ("locked", "env:CAMERA_PASSWORD", "unauthorized"),
        ("nowhere", None, "not_found"),
        ("sound", None, "not_video"),
    ],
)
def test_a_camera_that_cannot_be_read_says_why_and_holds_up_no_other(
    make_plant: MakePlant,
    monkeypatch: pytest.MonkeyPatch,
    mount: str,
    password: str | None,
    reason: str,
    cost: Callable[..., None],
) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "wrong-password-7")
    mounts: dict[str, Mount | Path] = {
        "cell": CELL_FILM,
        "locked": Mount(film=CELL_FILM, username="camera", password="right"),
        "sound": Mount(film=None),
    }
    with RtspServer(mounts) as server:
        site = cell_site({"kind": "rtsp", "url": server.url("cell")}, [RECORDING])
        broken = {"kind": "rtsp", "url": server.url(mount)}
        if password:
            broken |= {"username": "camera", "password": password}
        site["cameras"].append({"id": "broken", "name": "Broken", "source": broken})
        plant = make_plant(site)
        plant.start("engine")
        plant.wait_live("cell")
        plant.wait_for(
            lambda: plant.readiness().get("camera broken") == reason, why=f"it says {reason}"
        )
        assert "wrong-password-7" not in plant.log("engine")
        plant.wait_for(lambda: bool(plant.coverage("broken")), why="coverage is on record")
        states = {row.state for row in plant.coverage("broken")}
    how = "another camera beside one that works"
    cost("Camera", f"cannot be read: {reason}", how, covered=states == {"blind"})
