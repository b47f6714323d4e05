"""Machines, vehicles, feeds and shifts set up by page and API: added, tried, changed, removed."""

from typing import Any

import pytest
from starlette.datastructures import FormData, UploadFile

from dashboard.plant_forms import FEEDS, fields_of, filled_part, free_id, spec_type, words
from dashboard.spec_fields import SpecField, values_of
from safety.i18n import LANGUAGES, Language, translator
from safety.site.apply import load_site
from safety.site.edit import PLANT_KINDS, PlantKind
from safety.site.spec import SiteSpec
from safety.store import audit
from safety.store.accounts import Role
from tests.support.factory import Factory
from tests.support.web import Browser, Site
from zones.plant import PlantSpec

STATES = {"running": ["RUN, slowly", 1, 2.5, "007"], "idle": ["STOP"]}
BROKER = {"host": "broker", "tls": True, "ca_file": "/etc/ca.pem", "password": "env:PW"}
PAIRS = [
    {"map_m": [0.0, 0.0], "plan_m": [4.2, 1.0]},
    {"map_m": [20.0, 0.0], "plan_m": [4.1, 21.0]},
]
FEED_SPECS: dict[str, dict[str, Any]] = {
    "vda5050": {
        **BROKER,
        "vehicles": [{"vehicle_id": "amr-1", "manufacturer": "KIT", "serial": "0001"}],
        "maps": [{"map_id": "hall-2", "points": PAIRS}],
    },
    "opcua": {
        "url": "opc.tcp://10.0.5.40:4840",
        "certificate_file": "/etc/ours.pem",
        "points": [{"machine_id": "press", "node": "ns=2;s=Mode", "states": STATES}],
    },
    "modbus": {
        "host": "10.0.5.30",
        "points": [
            {"machine_id": "press", "table": "holding_register", "address": 3, "states": STATES},
            {"machine_id": "saw", "address": 4, "bit": 0, "states": {"idle": [0]}},
        ],
    },
    "mqtt_json": {
        **BROKER,
        "points": [{"machine_id": "press", "topic": "a/b", "value": "/mode", "states": STATES}],
    },
    "sparkplug": {
        "host": "broker",
        "group": "hall",
        "points": [{"machine_id": "press", "node": "gw", "metric": "Mode", "states": STATES}],
    },
    "mtconnect": {
        "url": "http://agent:5000",
        "points": [{"machine_id": "saw", "device": "Saw"}],
    },
    "http_push": {
        "token": "env:TOKEN",
        "points": [{"machine_id": "press", "states": STATES}],
    },
    "simulated": {
        "machines": [{"machine_id": "press", "cycle": [{"state": "idle", "seconds": 2.0}]}],
        "vehicles": [{"vehicle_id": "amr-1", "route_m": [[0.0, 0.0], [10.0, 0.0]]}],
    },
}
PARTS: list[tuple[PlantKind, str, dict[str, Any]]] = [
    ("machines", "", {}),
    ("vehicles", "", {"footprint_m": [[0.6, 0.4], [-0.6, 0.4], [-0.6, -0.4]], "may_pause": True}),
    ("vehicles", "", {"kind": "forklift", "stopping": {"reaction_s": 0.5}}),
    ("shifts", "", {"days": ["mon", "sun"], "start": "22:00:00", "end": "06:00:00"}),
    *(("feeds", kind, spec) for kind, spec in FEED_SPECS.items()),
]


def sent(
    fields: tuple[SpecField, ...], values: dict[str, Any], prefix: str = ""
) -> list[tuple[str, str | UploadFile]]:
    """What a browser sends for a form with these values."""
    pairs: list[tuple[str, str | UploadFile]] = []
    for field in fields:
        name, value = prefix + field.name, values[field.name]
        match field.widget:
            case "flag":
                pairs += [(name, "yes")] if value else []
            case "choices":
                pairs += [(name, each) for each in value]
            case "group":
                pairs += sent(field.fields, value, f"{name}.")
            case "rows":
                for number, row in enumerate(value):
                    pairs += sent(field.fields, row, f"{name}.{1000 + number}.")
            case _:
                pairs.append((name, "" if value is None else str(value).replace("\n", "\r\n")))
    return pairs


def form_of(part: PlantKind, kind: str, **changes: Any) -> dict[str, str | list[str]]:
    """A form as a browser sends it, with some fields changed."""
    spec = spec_type(part, kind).model_validate({"id": "x", "name": "이름", **_data(part, kind)})
    pairs = sent(
        fields_of(part, kind), values_of(fields_of(part, kind), spec.model_dump(mode="json"))
    )
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(str(value))
    return {**found, **({"kind": kind} if kind else {}), **changes}


def _data(part: PlantKind, kind: str) -> dict[str, Any]:
    return next(data for name, sort, data in PARTS if (name, sort) == (part, kind))


@pytest.mark.parametrize(("part", "kind", "data"), PARTS)
def test_a_form_sent_back_unchanged_gives_the_same_part(
    part: PlantKind, kind: str, data: dict[str, Any]
) -> None:
    spec = spec_type(part, kind).model_validate({"id": "it", "name": "이름", **data})
    fields = fields_of(part, kind)
    form = FormData(sent(fields, values_of(fields, spec.model_dump(mode="json"))))
    result = filled_part(form, translator("en"), part=part, kind=kind, part_id="it")
    assert result.problems == {}
    assert result.spec == spec


def test_every_kind_has_a_form() -> None:
    assert set(FEEDS) == set(FEED_SPECS)
    assert {part for part, _, _ in PARTS} == set(PLANT_KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("part", "kind"), [(part, kind) for part, kind, _ in PARTS])
def test_every_field_and_option_has_a_text(part: PlantKind, kind: str, language: Language) -> None:
    said = words(translator(language), SiteSpec(name="Works"), part, "")

    def without(fields: tuple[SpecField, ...]) -> list[str]:
        found = [field.name for field in fields if said.label(field) == field.name]
        for field in fields:
            found += [each for each in field.options if said.option(field, each) == each != "5"]
            found += without(field.fields)
        return found

    assert without(fields_of(part, kind)) == []
    assert said.text(f"machines.about.{kind or part}")
    assert not kind or said.text(f"feed.kind.{kind}")


@pytest.mark.parametrize(
    ("part", "kind", "changes", "field"),
    [
        ("machines", "", {"name": ""}, "name"),
        ("vehicles", "", {"footprint_m": "0.6, 0.4\nfar, away"}, "footprint_m"),
        ("vehicles", "", {"footprint_m": "0, 0\n1, 1\n1, 0\n0, 1"}, "footprint_m"),
        ("vehicles", "", {"stopping.braking_mps2": "0"}, "stopping.braking_mps2"),
        ("shifts", "", {"start": "26:00"}, "start"),
        ("feeds", "modbus", {"port": "many"}, "port"),
        ("feeds", "modbus", {"points.1001.address": "-1"}, "points.1.address"),
        ("feeds", "modbus", {"points.1000.states.idle": "1"}, "points.0.states"),
        ("feeds", "modbus", {"points.1001.states.idle": ""}, "points.1.states"),
        ("feeds", "opcua", {"points.1000.node": "Press3.Mode"}, "points.0.node"),
        ("feeds", "opcua", {"url": "opc.tcp://user:word@server"}, "url"),
        ("feeds", "mqtt_json", {"points.1000.topic": "a/#"}, "points.0.topic"),
        ("feeds", "mqtt_json", {"password": "the password"}, "password"),
        ("feeds", "mqtt_json", {"tls": ""}, "form"),
        ("feeds", "vda5050", {"maps.1000.points": "0, 0, 1"}, "maps.0.points"),
        ("feeds", "vda5050", {"maps.1000.points": "0,0,0,0\n9,0,1,0"}, "maps.0"),
        ("feeds", "simulated", {"machines.1000.cycle.1000.seconds": "0"}, "machines.0.cycle.0."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    part: PlantKind, kind: str, changes: dict[str, str], field: str
) -> None:
    pairs: list[tuple[str, str | UploadFile]] = [
        (name, each)
        for name, value in form_of(part, kind, **changes).items()
        for each in ([value] if isinstance(value, str) else value)
    ]
    result = filled_part(FormData(pairs), translator("ko"), part=part, kind=kind, part_id="it")
    assert result.spec is None
    [place] = result.problems
    assert place.startswith(field)


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("Press 3", (), "press-3"),
        ("Press 3", ("press-3", "press-3-2"), "press-3-3"),
        ("프레스 3호기", (), "machine-3"),
        ("프레스", ("machine",), "machine-2"),
        ("New", (), "new-2"),
        ("../x?", (), "x"),
    ],
)
def test_identifiers_can_be_read(name: str, taken: tuple[str, ...], found: str) -> None:
    assert free_id(name, "machines", taken) == found


def plant_of(site: Site) -> PlantSpec:
    with site.database.reading() as session:
        return load_site(session).spec.plant


def etag_in(page: str) -> str:
    return page.partition('name="etag" value="')[2].partition('"')[0].replace("&#34;", '"')


def add(browser: Browser, part: PlantKind, form: dict[str, Any]) -> str:
    answer = browser.post(f"/machines/{part}", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def test_a_machine_and_its_feed_are_added_changed_and_removed(site: Site, factory: Factory) -> None:
    browser = site.signed_in(Role.MANAGER)
    for name in ("Press", "<Saw>", "Spare"):
        add(browser, "machines", {"name": name})
    place = add(browser, "feeds", form_of("feeds", "modbus"))
    feed = plant_of(site).feeds[0]
    assert feed.machine_ids == ("press", "saw")
    assert feed.points[0].states.running == ("RUN, slowly", 1, 2.5, "007")  # type: ignore[union-attr]
    page = browser.get(place).text
    assert "&lt;Saw&gt;" in page
    assert "<Saw>" not in page
    etag = etag_in(page)
    changed = {**form_of("feeds", "modbus"), "etag": etag, "host": "10.0.5.31"}
    assert browser.post(place, changed).headers["location"] == f"{place}?done=saved"
    assert browser.post(place, changed).status_code == 412, "made from a version that is gone"
    other = browser.post("/machines/feeds", form_of("feeds", "http_push"))
    assert other.status_code == 422, "the press is told of already"
    assert "press" in other.text
    assert browser.post("/machines/machines/press/delete").status_code == 409, "the feed needs it"
    assert browser.post("/machines/machines/spare/delete").status_code == 303
    assert browser.post(f"{place}/delete").headers["location"] == "/machines?done=deleted"
    assert [each.id for each in plant_of(site).machines] == ["press", "saw"]
    with site.database.reading() as session:
        rows = audit.list_entries(session, limit=20)
        assert {row.actor for row in rows if row.action == "site.change"} >= {"manager"}


def test_only_managers_set_up_and_unknown_parts_are_not_found(site: Site, factory: Factory) -> None:
    manager = site.signed_in(Role.MANAGER)
    add(manager, "machines", {"name": "Press"})
    operator = site.signed_in(Role.OPERATOR)
    assert "/machines/machines/new" not in operator.get("/machines").text
    for path in ("/machines/machines/new", "/machines/machines/press"):
        assert operator.get(path).status_code == 403
    assert operator.post("/machines/feeds/try", {"kind": "simulated"}).status_code == 403
    for path in ("/machines/feeds/new?kind=telegraph", "/machines/machines/none"):
        assert manager.get(path).status_code == 404
    for part, kind, _ in PARTS:
        assert manager.get(f"/machines/{part}/new?kind={kind}").status_code == 200
    assert manager.get("/machines/machines/press/now").status_code == 200


def test_a_feed_is_tried_before_it_is_saved(site: Site, factory: Factory) -> None:
    browser = site.signed_in(Role.MANAGER)
    add(browser, "machines", {"name": "Press"})
    add(browser, "vehicles", form_of("vehicles", "", name="AMR 1"))
    early = browser.post("/machines/feeds/try", form_of("feeds", "modbus"))
    assert "saw" in early.text, "a machine that nobody has added"
    add(browser, "machines", {"name": "Saw"})
    answer = browser.post("/machines/feeds/try", form_of("feeds", "simulated"))
    assert "notice" in answer.text, answer.text
    assert "Press" in answer.text
    assert "AMR 1" in answer.text
    away = form_of("feeds", "modbus", host="127.0.0.1", port="9")
    assert 'class="warn"' in browser.post("/machines/feeds/try", away).text
    assert "curl" in browser.post("/machines/feeds/try", form_of("feeds", "http_push")).text
    wrong = browser.post("/machines/feeds/try", form_of("feeds", "modbus", port="many"))
    assert "<li>" in wrong.text
    assert plant_of(site).feeds == ()


def test_the_api_reads_tries_and_changes_the_plant(site: Site, factory: Factory) -> None:
    program = site.program("read", "configure")
    press = {"id": "press", "name": "Press"}
    made = program.put("/api/v1/machines/press", json=press)
    assert made.status_code == 201, made.text
    assert program.put("/api/v1/machines/press", json=press).status_code == 428
    spec = {"id": "f", "name": "F", "kind": "simulated", "machines": [{"machine_id": "press"}]}
    told = program.post("/api/v1/feeds/try", json=spec).json()
    assert (told["well"], told["heard"][0]["name"]) == (True, "Press")
    assert program.put("/api/v1/feeds/f", json=spec).status_code == 201
    lost = {**spec, "id": "g", "machines": [{"machine_id": "pres"}]}
    assert program.put("/api/v1/feeds/g", json=lost).status_code == 422
    assert program.post("/api/v1/feeds/try", json=lost).status_code == 422
    assert program.delete("/api/v1/machines/press", headers={"if-match": "*"}).status_code == 409
    assert [each["id"] for each in program.get("/api/v1/feeds").json()["items"]] == ["f"]
    etag = program.get("/api/v1/feeds/f").headers["etag"]
    assert program.delete("/api/v1/feeds/f", headers={"if-match": etag}).status_code == 204
    assert site.program("read", role=Role.VIEWER).get("/api/v1/feeds").status_code == 403
