"""Processes die: no alert is lost, and nobody is told that a camera was watched when it was not."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from safety.demo import SITE
from tests.support.mosquitto import Mosquitto
from tests.support.plant import RECORDING, MakePlant, Plant, SirenLog, cell_site, mqtt_siren
from tests.support.webhook_receiver import SECRET, WebhookReceiver

CELL_FILM = SITE.parent / "scenes" / "cell_intrusion.mp4"
SOURCE = {"kind": "file", "path": str(CELL_FILM)}
WHOLE_PICTURE = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
"""Somebody is always inside."""


def crowded(site: dict[str, object]) -> dict[str, object]:
    """The site with a zone that is never empty."""
    site["zones"] = [
        {"id": "cell-floor", "name": "Cell", "camera_id": "cell", "polygon": WHOLE_PICTURE}
    ]
    return site


def unique_alerts(plant: Plant) -> set[str]:
    """Violations that have an alert; fails if one has two."""
    ids = [alert.violation_id for alert in plant.alerts()]
    assert len(ids) == len(set(ids))
    return {str(i) for i in ids}


@pytest.mark.timeout(300)
def test_a_killed_shard_is_blind_at_once_and_what_it_had_opened_is_on_record(
    make_plant: MakePlant, cost: Callable[..., None]
) -> None:
    plant = make_plant(crowded(cell_site(SOURCE, [RECORDING])))
    plant.start("engine")
    plant.wait_for(lambda: len(plant.violations()) >= 1, why="a violation is on record")
    (shard,) = plant.shards()
    killed = time.time()
    shard.kill()
    plant.wait_for(
        lambda: plant.readiness().get("camera cell") == "shard_lost",
        why="the camera is declared blind",
    )
    opened = {row.id for row in plant.violations()}
    plant.wait_for(
        lambda: all(s.pid != shard.pid for s in plant.shards()) and bool(plant.shards()),
        why="the shard is started again",
    )
    plant.wait_live("cell")
    plant.wait_for(
        lambda: all(r.phase == "closed" for r in plant.violations() if r.id in opened),
        why="the new life closes what the old one left open",
    )
    assert {r.end_reason for r in plant.violations() if r.id in opened} == {"shard_lost"}
    blind = [c for c in plant.coverage("cell") if c.reason == "shard_lost"]
    assert {c.state for c in blind} == {"blind"}
    assert blind[0].started_at.timestamp() >= killed - 1
    lost = len(opened - unique_alerts(plant))
    cost("Shard", "killed", "`kill -9`", alerts=len(opened), lost=lost, covered=True)


@pytest.mark.timeout(300)
async def test_an_engine_killed_between_violation_and_delivery_delivers_after_its_restart(
    make_plant: MakePlant,
    webhook_receiver: WebhookReceiver,
    monkeypatch: pytest.MonkeyPatch,
    cost: Callable[..., None],
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    webhook_receiver.mode = "hang"
    hook = {
        "id": "hook", "name": "Hook", "kind": "webhook", "url": webhook_receiver.url,
        "secret": "env:HOOK_SECRET",
    }  # fmt: skip

    def run() -> Plant:
        plant = make_plant(cell_site(SOURCE, [hook]))
        plant.start("engine")
        plant.wait_for(lambda: len(webhook_receiver.requests) >= 1, why="it is being delivered")
        plant.kill("engine")
        return plant

    plant = await asyncio.to_thread(run)
    survivors = plant.shards()
    waiting = {row.id for row in plant.deliveries() if row.state == "pending"}
    assert waiting
    webhook_receiver.mode = "ok"

    def resume() -> None:
        plant.start("engine")
        plant.wait_for(
            lambda: all(r.state == "delivered" for r in plant.deliveries() if r.id in waiting),
            why="what was pending is delivered",
        )
        plant.wait_live("cell")

    await asyncio.to_thread(resume)
    taken = {request.headers["webhook-id"] for request in webhook_receiver.taken}
    assert [s.pid for s in plant.shards()] == [s.pid for s in survivors], "the shard went on"
    unique_alerts(plant)
    how = "`kill -9` while a message is on its way, then started again"
    cost("Engine", "killed while it delivers", how, alerts=len(waiting), lost=len(waiting - taken))


@pytest.mark.timeout(300)
def test_violations_while_the_engine_is_dead_are_on_record_afterwards(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog, cost: Callable[..., None]
) -> None:
    plant = make_plant(cell_site(SOURCE, [mqtt_siren(mosquitto)]))
    plant.start("engine")
    plant.wait_for(lambda: siren.level == "danger", why="the siren sounds")
    plant.kill("engine")
    known = {row.id for row in plant.violations()}
    plant.wait_for(lambda: siren.level == "off", why="a dead system is quiet")
    assert siren.changes()[-1]["why"] == "ttl"
    # One run of the film and a bit: somebody enters the cell meanwhile.
    spool = plant.settings.spool_dir
    plant.wait_for(
        lambda: any(known.isdisjoint(part.split('"')) for part in _opened(spool)),
        why="the shard spools a violation that the engine has not seen",
    )
    plant.start("engine")
    plant.wait_for(
        lambda: {row.id for row in plant.violations()} > known, why="the spool is replayed"
    )
    found = {row.id for row in plant.violations()}
    how = "`kill -9`; somebody enters the cell meanwhile; then started again"
    lost = len(found - unique_alerts(plant))
    cost("Engine", "dead during an alarm", how, alerts=len(found), lost=lost, sounded=None)


def _opened(spool: Path) -> list[str]:
    return [
        line
        for file in spool.glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
        if '"opened"' in line
    ]


@pytest.mark.timeout(300)
def test_the_dashboard_dies_and_nothing_else_notices(
    make_plant: MakePlant, mosquitto: Mosquitto, siren: SirenLog, cost: Callable[..., None]
) -> None:
    plant = make_plant(cell_site(SOURCE, [mqtt_siren(mosquitto)]))
    plant.start("engine")
    plant.start("dashboard")
    plant.wait_live("cell")
    plant.kill("dashboard")
    before = siren.times("danger")
    plant.wait_for(lambda: siren.times("danger") > before, why="the siren still sounds")
    states = [row.state for row in plant.coverage("cell")]
    seen = "blind" not in states[states.index("live") :]
    found = {row.id for row in plant.violations()}
    plant.wait_for(lambda: found <= unique_alerts(plant), why="each has its alert")
    cost("Dashboard", "killed", "`kill -9`", alerts=len(found), covered=seen, sounded=True)


@pytest.mark.timeout(300)
def test_a_second_engine_on_the_same_data_is_refused(
    make_plant: MakePlant, cost: Callable[..., None]
) -> None:
    plant = make_plant(cell_site(SOURCE, [RECORDING]))
    plant.start("engine")
    plant.wait_for(lambda: plant.get("/healthz")[0] == 200, why="the engine turns")
    assert plant.run("engine").returncode == 2
    assert "already uses" in plant.log("engine")
    assert plant.get("/healthz")[0] == 200
    plant.wait_for(lambda: bool(plant.violations()), why="the first one goes on")
    found = {row.id for row in plant.violations()}
    plant.wait_for(lambda: found <= unique_alerts(plant), why="each has its alert")
    how = "a second one is started by mistake; it is refused"
    cost("Engine", "two on the same data", how, alerts=len(found))
