"""Rules on their page: tried on what was recorded, switched, and how they stand now."""

from dataclasses import replace
from datetime import time

import pytest

from cameras.observation_log import ObservationLog
from dashboard.rule_trials import read_trial
from safety.clock import Instant
from safety.i18n import translator
from safety.site.apply import load_site
from safety.site.edit import put_plant
from safety.site.spec import SiteSpec
from safety.types import PlantState
from tests.support.factory import Factory
from tests.support.observations import acting, frame_times, observation, see
from tests.support.web import Browser, Site
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import PlantSpec, ShiftSpec

PATIENCE_S = 120.0
"""A replay begins with a new process."""


@pytest.fixture
def manager(site: Site, factory: Factory) -> Browser:
    browser = site.signed_in()
    browser.client.timeout = PATIENCE_S
    return browser


def record_somebody(site: Site, now: Instant) -> None:
    """Ten minutes before ``now`` somebody stood in the press zone for four seconds."""
    log = ObservationLog(
        site.settings.observations_dir, clock=site.clock, hours=48, mb_per_camera=10
    )
    log.start()
    actors = (acting(1, (1.0, "out"), (5.0, "in"), (8.0, "out")),)
    for at_s in frame_times(8.0):
        seen = observation(see(actors, at_s), at_s)
        at = Instant(wall=now.wall - 600 + at_s, monotonic=seen.at.monotonic)
        log.put(replace(seen, camera_id="press", at=at), PlantState())
    log.stop()


def test_a_rule_is_tried_on_what_was_recorded(
    site: Site, factory: Factory, manager: Browser
) -> None:
    now = site.clock.now()
    record_somebody(site, now)
    # Its clip begins a quarter of a second before the person is seen there.
    factory.intrude(now.shifted(-600.25), lasts_s=4.0)
    asked = {"rule_id": "press-entry", "since": "1h", "camera": "press"}
    api = site.program("configure")
    answer = api.post("/api/v1/replay", json=asked, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    [event] = answer.json()["events"]
    assert event["change"] == "same"
    assert event["clip"]["at_s"] == pytest.approx(0.25, abs=0.11)
    file = event["clip"]["evidence"]
    assert file in answer.json()["fired"][-1]["evidence_ids"]
    clip = site.program("read").get(f"/api/v1/evidence/{file}")
    assert (clip.status_code, clip.headers["content-type"]) == (200, "video/mp4")
    fields = {"kind": "intrusion", "name": "R", "zone_id": "press-2", "hold_to_open_s": "60"}
    page = manager.post("/rules/press-entry/try", fields)
    assert translator("ko")("rules.try.gone") in page.text
    assert page.text.count('<th scope="row"') == 1
    assert f'href="/evidence/{file}#t=0.0"' in page.text
    assert manager.get(f"/evidence/{file}").status_code == 200
    with site.database.reading() as session:
        kept = next(each for each in load_site(session).spec.rules if each.id == "press-entry")
    assert kept.hold_to_open_s == 0


def test_what_cannot_be_tried_is_said_in_words(site: Site, manager: Browser) -> None:
    fields = {"kind": "intrusion", "name": "R", "zone_id": "press-2"}
    page = manager.post("/rules/new/try", fields)
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    unfinished = manager.post("/rules/new/try", {**fields, "zone_id": ""})
    assert translator("ko")("rules.say.unfinished") in unfinished.text
    api = site.program("configure")
    assert api.post("/api/v1/replay", json={}).status_code == 422
    assert api.post("/api/v1/replay", json={"rule_id": "nobody"}).status_code == 404


def test_a_rule_goes_into_shadow_and_back(site: Site, manager: Browser) -> None:
    def mode() -> str:
        with site.database.reading() as session:
            rules = load_site(session).spec.rules
        return next(rule.mode for rule in rules if rule.id == "press-entry")

    manager.post("/rules/press-entry/mode", {"mode": "shadow"})
    assert mode() == "shadow"
    assert translator("ko")("rules.say.then.shadow") in manager.get("/rules").text
    manager.post("/rules/press-entry/mode", {"mode": "active"})
    assert mode() == "active"


def test_the_sentence_follows_the_form(manager: Browser) -> None:
    fields = {"kind": "intrusion", "name": "R", "zone_id": "press-2", "hold_to_open_s": "2.5"}
    assert "2.5초" in manager.post("/rules/new/sentence", fields).text
    unfinished = manager.post("/rules/new/sentence", {**fields, "hold_to_open_s": "soon"})
    assert translator("ko")("rules.say.unfinished") in unfinished.text


def test_a_rule_without_a_zone_is_kept_and_found(site: Site, manager: Browser) -> None:
    fields = {"kind": "running", "name": "뛰지 않기", "enabled": "yes"}
    assert manager.post("/rules", fields).headers["location"] == "/rules?done=created"
    assert "뛰지 않기" in manager.get("/rules").text
    with site.database.reading() as session:
        [rule] = [each for each in load_site(session).spec.rules if each.kind == "running"]
    assert rule.zone_id is None
    assert manager.get(f"/rules/{rule.id}").status_code == 200


def test_what_the_site_does_not_have_is_refused_in_the_form(manager: Browser) -> None:
    fields = {"kind": "intrusion", "name": "R", "zone_id": "gone"}
    answer = manager.post("/rules", fields)
    assert answer.status_code == 422
    assert 'id="problem-form"' in answer.text


def test_machines_and_shifts_are_shown_even_while_nothing_is_known(
    site: Site, manager: Browser
) -> None:
    plant = PlantSpec(
        machines=(MachineSpec(id="p2", name="프레스 기계"),),
        vehicles=(VehicleSpec(id="amr-1", name="운반 로봇"),),
        shifts=(ShiftSpec(id="day", name="주간", start=time(8), end=time(17)),),
    )
    with site.database.transaction() as session:
        put_plant(session, plant, by="test", at=site.now)
    page = manager.get("/machines").text
    assert all(name in page for name in ("프레스 기계", "운반 로봇", "주간", "08:00 – 17:00"))
    assert translator("ko")("machine.state.unknown") in page
    assert translator("ko")("machines.silent") in manager.get("/machines/now").text


@pytest.mark.parametrize(
    ("clip", "address"),
    [
        (None, ""),
        ({"evidence": "e1", "at_s": 5.3}, "/evidence/e1#t=3.3"),
        ({"evidence": "e1", "at_s": 0.5}, "/evidence/e1#t=0.0"),
    ],
)
def test_a_trials_event_plays_from_shortly_before(
    clip: dict[str, object] | None, address: str
) -> None:
    event = {
        "change": "new", "camera": "press", "subject": "person-1", "seconds": 1.0,
        "opened_at": "2026-01-05T08:00:05Z", "clip": clip,
    }  # fmt: skip
    result = {
        "since": "2026-01-05T08:00:00Z", "until": "2026-01-05T09:00:00Z", "frames": 1,
        "fired": [], "events": [event],
    }  # fmt: skip
    [shown] = read_trial(result, SiteSpec(name="Site")).events
    assert shown.clip == address
