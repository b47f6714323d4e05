"""A record to ask the API about: one of each kind of thing that it knows."""

from datetime import timedelta
from typing import Any

from tests.support.factory import Factory
from tests.support.web import Site


def something_of_everything(site: Site, factory: Factory) -> dict[str, str]:
    """One of each kind of thing on record; gives their ids by the path parameter's name."""
    program = site.program("read", "acknowledge", "configure")

    def made(path: str, **body: object) -> dict[str, Any]:
        answer = program.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def put(path: str, **body: object) -> None:
        answer = program.put(f"/api/v1/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text

    factory.intrude(site.clock.now())
    alert = factory.intrude(site.clock.now())
    today = site.now.date().isoformat()
    later = (site.now + timedelta(days=9)).date().isoformat()
    for name in ("Kim", "Lee"):
        put(f"contacts/{name.lower()}", name=name, role="operator")
    for number in (1, 2):
        spec = {"name": f"Number {number}"}
        put(f"machines/lathe-{number}", id=f"lathe-{number}", **spec)
        put(f"vehicles/amr-{number}", id=f"amr-{number}", **spec)
        put(f"shifts/shift-{number}", id=f"shift-{number}", start="08:00", end="16:00", **spec)
        points = [{"machine_id": f"lathe-{number}", "states": {"running": ["on"]}}]
        push = {"id": f"push-{number}", "kind": "http_push", "token": "env:PUSH_TOKEN"}
        put(f"feeds/push-{number}", points=points, **push, **spec)
    put(f"work-months/{today[:7]}/own", hours=640, headcount=4)
    put("baseline", first_month="2024-01", last_month="2024-12", programme_start="2025-01")
    occurred = site.now.isoformat()
    incident = made("incidents", kind="near_miss", title="Near the press", occurred_at=occurred)
    place = f"incidents/{incident['id']}"
    tasks = made(
        f"{place}/actions", text="A guard", control="engineering", owner="Kim", due_on=later
    )
    causes = made(f"{place}/causes", text="The gate stood open")
    accident = made(
        "accidents", occurred_on=today, kind="fall", worker_group="own", outcome="lost_time"
    )
    change = made("duty/changes", contact_id="kim", first_day=today, last_day=today, on_duty=True)
    return {
        "alert_id": alert,
        "violation_id": f"{1:032x}",
        "camera_id": "press",
        "zone_id": "fence",
        "rule_id": "press-entry",
        "channel_id": "log",
        "machine_id": "lathe-1",
        "vehicle_id": "amr-1",
        "shift_id": "shift-1",
        "feed_id": "push-1",
        "contact_id": "kim",
        "incident_id": incident["id"],
        "action_id": tasks["actions"][0]["id"],
        "cause_id": causes["causes"][0]["id"],
        "accident_id": accident["id"],
        "change_id": change["id"],
        "month": today[:7],
        "group": "own",
    }
