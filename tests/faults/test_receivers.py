"""A webhook's receiver says that it wants nothing any more."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from safety.demo import SITE
from safety.store import configuration
from tests.support.plant import RECORDING, MakePlant, Plant, cell_site
from tests.support.webhook_receiver import SECRET, WebhookReceiver

SOURCE = {"kind": "file", "path": str(SITE.parent / "scenes" / "cell_intrusion.mp4")}


@pytest.mark.timeout(300)
async def test_a_receiver_that_is_gone_is_left_alone_until_somebody_enables_it_again(
    make_plant: MakePlant,
    webhook_receiver: WebhookReceiver,
    monkeypatch: pytest.MonkeyPatch,
    cost: Callable[..., None],
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    webhook_receiver.mode = "410"
    hook = {
        "id": "hook", "name": "Hook", "kind": "webhook", "url": webhook_receiver.url,
        "secret": "env:HOOK_SECRET",
    }  # fmt: skip

    def gone() -> Plant:
        plant = make_plant(cell_site(SOURCE, [hook, RECORDING]))
        plant.start("engine")
        plant.wait_for(
            lambda: plant.readiness().get("channel hook") == "disabled", why="it is disabled"
        )
        plant.wait_for(lambda: len(plant.alerts("channel_failed")) == 1, why="somebody is told")
        alarms = len(plant.alerts())
        plant.wait_for(lambda: len(plant.alerts()) > alarms, why="the next alarm comes")
        return plant

    plant = await asyncio.to_thread(gone)
    asked = len(webhook_receiver.requests)
    assert asked >= 1
    webhook_receiver.mode = "ok"

    def enable() -> None:
        with plant.database.transaction() as session:
            configuration.enable_channel(session, "hook", by="tester", at=datetime.now(UTC))
        plant.wait_for(lambda: len(webhook_receiver.taken) >= 1, why="it is told again")

    await asyncio.to_thread(enable)
    how = "status 410; it is left alone, somebody is told, and enables it again"
    cost("Messenger", "receiver wants no more", how)
