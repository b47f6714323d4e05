"""The site in the database: applied, exported, edited, numbered and audited."""

import pytest

from alerts.channels.recording import RecordingSpec
from cameras.specs import CameraSpec, SyntheticSpec
from safety.errors import ConfigError
from safety.site import edit
from safety.site.apply import apply_site, export_site, load_site, store_site
from safety.site.document import parse_site
from safety.site.spec import SiteSpec
from safety.store import audit, configuration, rule_history
from safety.store.database import Database
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Camera
from tests.support.database import NOON
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

SITE = parse_site(
    """
version: 1
name: 제1공장
language: ko
cameras:
  - {id: gate, name: Gate, source: {kind: synthetic}}
  - {id: press, name: 프레스, source: {kind: rtsp, url: "rtsp://10.0.0.2/1", password: "env:CAM"}}
zones:
  - {id: door, name: Door, camera_id: gate, polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]}
  - {id: press, name: Press, camera_id: press, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}
rules:
  - {id: door-in, kind: intrusion, name: In, zone_id: door, channels: [siren]}
  - {id: press-stay, kind: dwell, name: Stay, zone_id: press, limit_s: 30}
channels:
  - {id: siren, kind: recording, name: Siren}
"""
)
TRIANGLE = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6))
MOVED = SITE.zones[0].model_copy(update={"polygon": TRIANGLE})
RENAMED = SITE.zones[0].model_copy(update={"name": "Other"})


def _with(**parts: object) -> SiteSpec:
    return SiteSpec.model_validate({**dict(SITE), **parts})


@pytest.fixture
def site(database: Database) -> Database:
    """A database with ``SITE`` in it."""
    apply_site(database, SITE, by="installer", now=NOON)
    return database


def test_an_empty_database_is_an_empty_site(database: Database) -> None:
    spec = export_site(database)
    assert (spec.cameras, spec.zones, spec.rules, spec.channels) == ((), (), (), ())
    with database.reading() as session:
        assert configuration.revision(session) == 0


def test_what_is_applied_is_exported(database: Database) -> None:
    changes = apply_site(database, SITE, by="installer", now=NOON)
    assert export_site(database) == SITE
    assert changes.added == (
        "cameras/gate",
        "cameras/press",
        "zones/door",
        "zones/press",
        "rules/door-in",
        "rules/press-stay",
        "channels/siren",
    )
    assert changes.revision == 1


def test_applying_what_is_in_force_changes_nothing(site: Database) -> None:
    changes = apply_site(site, export_site(site), by="installer", now=NOON)
    assert not changes
    assert changes.revision == 1
    with site.reading() as session:
        assert configuration.revision(session) == 1
        assert len(audit.list_entries(session)) == 1


@pytest.mark.parametrize(
    ("parts", "changed", "revisions"),
    [
        ({"name": "B"}, (), {"door-in": 1, "press-stay": 1}),
        ({"zones": (MOVED, SITE.zones[1])}, ("zones/door",), {"door-in": 2, "press-stay": 1}),
        ({"zones": (RENAMED, SITE.zones[1])}, ("zones/door",), {"door-in": 1, "press-stay": 1}),
        (
            {"rules": (SITE.rules[0], SITE.rules[1].model_copy(update={"limit_s": 9.0}))},
            ("rules/press-stay",),
            {"door-in": 1, "press-stay": 2},
        ),
        ({"rules": SITE.rules[::-1]}, (), {"press-stay": 1, "door-in": 1}),
    ],
    ids=["name", "zone-moved", "zone-renamed", "rule", "order"],
)  # fmt: skip
def test_only_what_means_something_else_gets_a_new_revision(
    site: Database, parts: dict[str, object], changed: tuple[str, ...], revisions: dict[str, int]
) -> None:
    changes = apply_site(site, _with(**parts), by="installer", now=NOON)
    assert (changes.changed, changes.revision, bool(changes)) == (changed, 2, True)
    with site.reading() as session:
        assert load_site(session).rule_revisions == revisions
    assert export_site(site) == _with(**parts)


def test_a_rule_that_comes_back_continues_its_numbers(site: Database) -> None:
    apply_site(site, _with(rules=()), by="installer", now=NOON)
    loud = SITE.rules[0].model_copy(update={"hold_to_open_s": 1.0})
    apply_site(site, _with(rules=(loud,)), by="kim", now=NOON)
    with site.reading() as session:
        assert load_site(session).rule_revisions == {"door-in": 2}
        newest, first = rule_history.of_rule(session, "door-in")
        assert rule_history.get(session, "door-in", 1) == first
        assert (newest.created_by, newest.spec["hold_to_open_s"]) == ("kim", 1.0)
        assert first.zone_spec["polygon"] == [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]
        with pytest.raises(NotFound):
            rule_history.get(session, "door-in", 3)


def test_what_is_no_longer_mentioned_is_removed(site: Database) -> None:
    kept = _with(cameras=SITE.cameras[:1], zones=SITE.zones[:1], rules=SITE.rules[:1])
    changes = apply_site(site, kept, by="installer", now=NOON)
    assert changes.removed == ("cameras/press", "zones/press", "rules/press-stay")
    assert export_site(site) == kept


def test_a_zone_may_move_to_another_camera_while_its_own_goes(site: Database) -> None:
    moved = SITE.zones[1].model_copy(update={"camera_id": "gate"})
    apply_site(
        site, _with(cameras=SITE.cameras[:1], zones=(SITE.zones[0], moved)), by="x", now=NOON
    )
    assert export_site(site).zones[1].camera_id == "gate"


def test_the_audit_tells_who_changed_what_from_what(site: Database) -> None:
    apply_site(site, _with(name="B", zones=(MOVED, SITE.zones[1])), by="kim", now=NOON)
    with site.reading() as session:
        entry = audit.list_entries(session)[0]
    assert (entry.actor, entry.action) == ("kim", "site.change")
    assert entry.detail["before"]["name"] == "제1공장"
    assert entry.detail["after"]["name"] == "B"
    assert entry.detail["before"]["zones/door"]["polygon"][0] == [0.1, 0.1]
    assert entry.detail["after"]["zones/door"]["polygon"][0] == [0.2, 0.2]


def test_a_channel_that_refused_for_good_is_used_again_once_it_is_changed(site: Database) -> None:
    with site.transaction() as session:
        configuration.disable_channel(session, "siren", reason="HTTP 410")
        loaded = load_site(session)
        assert (loaded.disabled_channels, loaded.revision) == ({"siren": "HTTP 410"}, 2)
    apply_site(site, _with(name="B"), by="kim", now=NOON)
    with site.transaction() as session:
        assert load_site(session).disabled_channels == {"siren": "HTTP 410"}
        configuration.enable_channel(session, "siren", by="kim", at=NOON)
        assert load_site(session).disabled_channels == {}
        configuration.disable_channel(session, "siren", reason="HTTP 410")
        with pytest.raises(NotFound):
            configuration.disable_channel(session, "unknown", reason="x")
    other = SITE.channels[0].model_copy(update={"name": "Other"})
    apply_site(site, _with(channels=(other,)), by="kim", now=NOON)
    with site.reading() as session:
        assert load_site(session).disabled_channels == {}


def test_a_change_made_from_an_old_view_is_refused(site: Database) -> None:
    apply_site(site, _with(name="B"), by="kim", now=NOON)
    with pytest.raises(Conflict) as caught, site.transaction() as session:
        store_site(session, SITE, by="lee", at=NOON, expected_revision=1)
    assert caught.value.key == "site.changed"
    assert export_site(site).name == "B"


@pytest.mark.parametrize(
    ("part", "what"),
    [
        (CameraSpec(id="new", name="New", source=SyntheticSpec()), "added"),
        (CameraSpec(id="gate", name="New", source=SyntheticSpec()), "changed"),
        (ZoneSpec(id="new", name="New", camera_id="gate", polygon=TRIANGLE), "added"),
        (ZoneSpec(id="door", name="New", camera_id="press", polygon=TRIANGLE), "changed"),
        (IntrusionSpec(id="new", name="New", zone_id="door"), "added"),
        (IntrusionSpec(id="press-stay", name="New", zone_id="press"), "changed"),
        (RecordingSpec(id="new", name="New"), "added"),
        (RecordingSpec(id="siren", name="New"), "changed"),
    ],
)
def test_one_part_is_added_or_replaced_in_its_place(
    site: Database, part: edit.Part, what: str
) -> None:
    with site.transaction() as session:
        changes = edit.put(session, part, by="kim", at=NOON)
        assert not edit.put(session, part, by="kim", at=NOON)
    kind = edit.kind_of(part)
    assert getattr(changes, what) == (f"{kind}/{part.id}",)
    present, before = getattr(export_site(site), kind), getattr(SITE, kind)
    ids = [each.id for each in before]
    assert [each.id for each in present] == [*ids, part.id] if what == "added" else ids
    assert part in present


@pytest.mark.parametrize(
    "part",
    [
        ZoneSpec(id="new", name="New", camera_id="gat", polygon=TRIANGLE),
        IntrusionSpec(id="new", name="New", zone_id="doors"),
        IntrusionSpec(id="new", name="New", zone_id="door", channels=("sirens",)),
    ],
)
def test_a_part_that_refers_to_nothing_is_refused(site: Database, part: edit.Part) -> None:
    with pytest.raises(ConfigError, match=r"there is no .*; did you mean"), site.transaction() as s:
        edit.put(s, part, by="kim", at=NOON)
    assert export_site(site) == SITE


@pytest.mark.parametrize(
    ("kind", "name", "users"),
    [
        ("cameras", "gate", "zone 'door'"),
        ("zones", "press", "rule 'press-stay'"),
        ("channels", "siren", "rule 'door-in'"),
    ],
)
def test_what_is_in_use_is_not_removed(
    site: Database, kind: edit.PartKind, name: str, users: str
) -> None:
    with pytest.raises(Conflict, match=users), site.transaction() as session:
        edit.remove(session, kind, name, by="kim", at=NOON)


def test_parts_are_removed_from_the_rule_to_the_camera(site: Database) -> None:
    order: list[tuple[edit.PartKind, str]] = [
        ("rules", "door-in"),
        ("zones", "door"),
        ("cameras", "gate"),
        ("channels", "siren"),
    ]
    for kind, name in order:
        with site.transaction() as session:
            edit.remove(session, kind, name, by="kim", at=NOON)
            with pytest.raises(NotFound):
                edit.remove(session, kind, name, by="kim", at=NOON)
    assert [camera.id for camera in export_site(site).cameras] == ["press"]


def test_a_stored_configuration_that_is_no_longer_valid_says_where(site: Database) -> None:
    with site.transaction() as session:
        row = session.get_one(Camera, "gate")
        row.spec = {**row.spec, "network_width": 641}
    with pytest.raises(ConfigError, match=r"cameras\.0\.network_width") as caught:
        export_site(site)
    assert caught.value.key == "site.stored_invalid"
