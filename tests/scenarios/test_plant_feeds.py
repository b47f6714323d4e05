"""A rule that waits for a machine: from a posted state to an alert that comes or does not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from safety.demo import SITE
from safety.store import mutes
from tests.support.plant import MakePlant, Plant, cell_site

TOKEN = "a-long-enough-token"


def waiting_site() -> dict[str, Any]:
    """The robot cell, armed by its machine; the film is shown again and again."""
    film = SITE.parent / "scenes" / "cell_intrusion.mp4"
    site = cell_site({"kind": "file", "path": str(film), "loop": True})
    site["rules"][0]["arming"] = {"kind": "machine", "machine_id": "robot"}
    states = {"running": ["run"], "idle": ["stop"]}
    site["plant"] = {
        "machines": [{"id": "robot", "name": "Robot"}],
        "feeds": [
            {
                "id": "gateway",
                "name": "Gateway",
                "kind": "http_push",
                "token": "env:PUSH_TOKEN",
                "stale_after_s": 2.0,
                "points": [{"machine_id": "robot", "states": states}],
            }
        ],
    }
    return site


@contextmanager
def posting(plant: Plant, state: str) -> Iterator[None]:
    """Somebody posts the robot's state twice a second."""
    done = threading.Event()
    address = f"http://127.0.0.1:{plant.settings.metrics_port}/feeds/gateway"

    def post() -> None:
        with httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}) as client:
            while not done.wait(0.5):
                with suppress(httpx.HTTPError):
                    client.post(address, json={"machines": {"robot": state}})

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.timeout(300)
def test_no_alert_while_the_machine_stands_one_when_it_falls_silent_none_under_lockout(
    make_plant: MakePlant,
) -> None:
    plant = make_plant(waiting_site(), environment={"PUSH_TOKEN": TOKEN})
    plant.start("engine")

    def analysed() -> float:
        return plant.metric("anjeon_camera_frames_analysed", camera="cell") or 0

    with posting(plant, "stop"):
        plant.wait_for(
            lambda: plant.metric("anjeon_machine_state", machine="robot", state="idle") == 1,
            why="the robot stands",
        )
        plant.wait_live("cell")
        begun = analysed()
        # The film has a hundred frames, and somebody in the cell in 44 of them.
        plant.wait_for(lambda: analysed() > begun + 110, why="the whole film was seen")
        assert plant.readiness()["feed gateway"] == "ok"
        assert plant.violations() == []
    plant.wait_for(lambda: len(plant.violations()) == 1, why="a silent machine arms the rule")
    now = datetime.now(UTC)
    with plant.database.transaction() as session:
        mutes.begin(
            session,
            zone_id="cell-floor",
            kind="lockout",
            person="Kim",
            reason="new gripper",
            ends_at=now + timedelta(hours=1),
            by="test",
            at=now,
        )
    plant.wait_for(lambda: plant.violations()[0].phase == "closed", why="the mute ends it")
    assert plant.violations()[0].end_reason == "muted"
    assert plant.metric("anjeon_muted_zones") == 1
    assert plant.readiness()["feed gateway"] == "feed.nothing_posted"
