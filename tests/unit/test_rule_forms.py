"""Forms and sentences of every kind of rule, made from its specification."""

from typing import Any

import pytest
from starlette.datastructures import FormData, UploadFile

from dashboard.rule_fields import RULE_KINDS, RuleField, every_field, fields_of, values_of
from dashboard.rule_forms import RULE, filled_rule, new_rule
from dashboard.rule_words import names_of, rule_sentence
from safety.i18n import LANGUAGES, Language, catalogue, translator
from safety.site.spec import SiteSpec
from zones.rules.proximity import ProximitySpec

SITE = SiteSpec(name="Works")
VARIANTS: list[dict[str, Any]] = [
    {"kind": "intrusion", "body": "hands"},
    {"kind": "intrusion", "body": "any"},
    {"kind": "intrusion", "arming": {"kind": "shift", "shifts": ("day",)}},
    {"kind": "intrusion", "arming": {"kind": "shift", "shifts": ("day",), "outside": True}},
    {"kind": "intrusion", "arming": {"kind": "machine", "machine_id": "press"}},
    {"kind": "intrusion", "arming": {"kind": "rule", "rule_id": "other"}},
    {"kind": "intrusion", "mode": "shadow"},
    {"kind": "intrusion", "enabled": False},
    {"kind": "intrusion", "channels": ("siren",)},
    {"kind": "running", "zone_id": None, "camera_ids": ("press",)},
    {"kind": "running", "zone_id": None},
    {"kind": "line_crossing", "line_m": ((0, 0), (4, 0)), "direction": "a_to_b"},
    {"kind": "line_crossing", "line_m": ((0, 0), (4, 0)), "direction": "b_to_a"},
    {"kind": "occupancy", "at_least": 2, "at_most": 5},
    {"kind": "occupancy", "at_least": 2, "at_most": 5, "empty_is_fine": True},
    {"kind": "occupancy", "at_least": 2},
    {"kind": "occupancy", "at_most": 2},
    {"kind": "blind_spot", "when_degraded": True},
    {"kind": "proximity", "to": "machine", "warning": {"kind": "iso_13855"}},
    {"kind": "proximity", "stop": {"kind": "separation"}, "time_to_contact_s": 1.5},
]


def sent(fields: tuple[RuleField, ...], values: dict[str, Any]) -> FormData:
    """What a browser sends of a form with these values."""
    pairs: list[tuple[str, str | UploadFile]] = []
    for field in every_field(fields):
        value = values[field.name]
        if field.widget == "flag":
            pairs += [(field.name, "yes")] if value else []
        elif field.widget == "choices":
            pairs += [(field.name, each) for each in value or ()]
            pairs.append((f"{field.name}.given", "all" if value is None else "some"))
        else:
            pairs.append((field.name, "" if value is None else str(value)))
    return FormData(pairs)


def rules() -> list[Any]:
    plain = [new_rule(kind, name="R", zone_id="z") for kind in RULE_KINDS]
    base = {"id": "r", "name": "R", "zone_id": "z"}
    return plain + [RULE.validate_python({**base, **each}) for each in VARIANTS]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.kind)
def test_a_form_sent_back_unchanged_gives_the_same_rule(rule: Any) -> None:
    fields = fields_of(rule.kind)
    form = sent(fields, values_of(fields, rule.model_dump(mode="json")))
    filled = filled_rule(form, translator("en"), kind=rule.kind, rule_id=rule.id)
    assert filled.problems == {}
    assert filled.spec == rule


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", RULE_KINDS)
def test_every_field_and_option_has_a_text(kind: str, language: Language) -> None:
    texts = catalogue(language)
    fields = list(every_field(fields_of(kind)))
    keys = {field.text_key() for field in fields}
    keys |= {field.text_key(option) for field in fields for option in field.options}
    several = [field for field in fields if field.widget == "choices" and field.optional]
    keys |= {field.text_key(some) for field in several for some in ("all", "some")}
    one = [f for f in fields if f.widget in {"choice", "kinds"} and (f.optional or f.refers_to)]
    keys |= {f"rules.none.{field.leaf}" for field in one}
    keys |= {f"rules.{text}.{kind}" for text in ("kind", "about", "default_name", "add")}
    assert sorted(keys - set(texts)) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.kind)
def test_every_rule_is_said_in_whole_sentences(rule: Any, language: str) -> None:
    said = rule_sentence(rule, names_of(SITE), translator(language))
    assert not any(part in said for part in ("rules.", "state.", "{"))
    assert said.endswith(".")


def test_a_sentence_says_who_when_and_what_then() -> None:
    rule = RULE.validate_python(
        {"id": "r", "kind": "reach_in", "name": "R", "zone_id": "press-2", "channels": ()}
        | {"arming": {"kind": "machine", "machine_id": "p2"}}
    )
    assert rule_sentence(rule, names_of(SITE), translator("en")) == (
        "While p2 says Running, Set-up, or nothing is known of it, when a hand or an arm is"
        " inside “press-2” while the feet are outside for 0.3 s: an alert (Danger) on these"
        " pages only. It ends when that has been over for 0.5 s; the same subject raises no"
        " new alert for 0.5 s."
    )


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("dwell", {"limit_s": "-1"}, "limit_s"),
        ("dwell", {"limit_s": ""}, "limit_s"),
        ("dwell", {"zone_id": ""}, "zone_id"),
        ("dwell", {"arming": "machine"}, "arming.machine.machine_id"),
        ("proximity", {"warning.fixed.distance_m": "near"}, "warning.fixed.distance_m"),
        ("proximity", {"to": "machine", "zone_id": ""}, "form"),
        ("occupancy", {"at_least": ""}, "form"),
        ("occupancy", {"at_least": "1.5"}, "at_least"),
        ("line_crossing", {"line_m": "1, 2, 3"}, "line_m"),
        ("running", {"camera_ids.given": "some"}, "camera_ids"),
        ("missing_ppe", {"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(kind: str, changes: dict[str, str], field: str) -> None:
    fields = fields_of(kind)
    data = new_rule(kind, name="R", zone_id="z").model_dump(mode="json")
    form = dict(sent(fields, values_of(fields, data))) | changes
    filled = filled_rule(FormData(form), translator("en"), kind=kind, rule_id="r")
    assert filled.spec is None
    assert list(filled.problems) == [field]
    assert "invalid." not in filled.problems[field]


def test_hidden_kinds_of_a_choice_do_not_matter() -> None:
    fields = fields_of("proximity")
    data = new_rule("proximity", name="R", zone_id="z").model_dump(mode="json")
    form = dict(sent(fields, values_of(fields, data))) | {"warning.iso_13855.speed_mps": "fast"}
    filled = filled_rule(FormData(form), translator("en"), kind="proximity", rule_id="r")
    assert isinstance(filled.spec, ProximitySpec)
