"""Names in a site that lead nowhere, or round in a circle: named, before anything is in force."""

from typing import Any

import pytest
from pydantic import ValidationError

from safety.site.references import broken_references
from safety.site.spec import SiteSpec

CAMERA = {"id": "gate", "name": "Gate", "source": {"kind": "synthetic"}}
ZONE = {"id": "door", "name": "Door", "camera_id": "gate", "polygon": [[0, 0], [1, 0], [1, 1]]}
SHIFT = {"id": "night", "name": "Night", "start": "22:00", "end": "06:00"}


def rule(rule_id: str = "r", **fields: Any) -> dict[str, Any]:
    return {"kind": "intrusion", "id": rule_id, "name": "R", "zone_id": "door", **fields}


def site(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    shape = {"name": "S", "cameras": [CAMERA], "zones": [ZONE], "rules": list(rules)}
    return {**shape, "plant": {"shifts": [SHIFT]}, **fields}


def by_rule(rule_id: str) -> dict[str, Any]:
    return {"kind": "rule", "rule_id": rule_id}


def problems(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (".".join(map(str, broken.where)), broken.message) for broken in broken_references(document)
    ]


@pytest.mark.parametrize(
    ("document", "where", "words"),
    [
        pytest.param(site(rule(zone_id="dor")), "rules.0.zone_id", "did you mean 'door'?",
                     id="a zone that was deleted"),
        pytest.param(site(rule(arming={"kind": "machine", "machine_id": "press"})),
                     "rules.0.arming.machine_id", "there is no machine 'press'", id="a machine"),
        pytest.param(site(rule(arming={"kind": "shift", "shifts": ["night", "day"]})),
                     "rules.0.arming.shifts.1", "no shift 'day'; known are night", id="a shift"),
        pytest.param(site(rule(arming=by_rule("other"))), "rules.0.arming.rule_id",
                     "there is no rule 'other'", id="a rule"),
        pytest.param(site(rule(camera_ids=["gate", "gait"])), "rules.0.camera_ids.1",
                     "there is no camera 'gait'; did you mean 'gate'?", id="a camera"),
        pytest.param(site(plant={"shifts": [SHIFT, SHIFT]}), "plant.shifts.1.id",
                     "the id 'night' is that of plant.shifts[0] already", id="two shifts, one id"),
        pytest.param(site(rule("a", arming=by_rule("a"))), "rules.0.arming.rule_id",
                     "(a → a), which can never happen", id="a rule that arms itself"),
    ],
)  # fmt: skip
def test_each_is_named_with_its_place(document: dict[str, Any], where: str, words: str) -> None:
    [(place, message)] = problems(document)
    assert place == where
    assert words in message


def test_a_circle_of_rules_is_named_at_each_of_them_but_not_at_those_that_lead_into_it() -> None:
    rules = [
        rule("a", arming=by_rule("b")),
        rule("b", arming=by_rule("c")),
        rule("c", arming=by_rule("a")),
        rule("outside", arming=by_rule("a")),
        rule("free"),
    ]
    found = problems(site(*rules))
    assert [place for place, _ in found] == [f"rules.{n}.arming.rule_id" for n in range(3)]
    assert "(b → c → a → b)" in found[1][1]


def test_what_fits_is_let_be() -> None:
    rules = [
        rule("a", arming={"kind": "shift", "shifts": ["night"], "outside": True}),
        rule("b", arming=by_rule("a")),
    ]
    assert problems(site(*rules)) == []
    assert SiteSpec.model_validate(site(*rules)).rules[1].arming.kind == "rule"


def test_a_site_with_such_a_name_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no rule 'gone'"):
        SiteSpec.model_validate(site(rule(arming=by_rule("gone"))))


@pytest.mark.parametrize(
    "document",
    [
        {"plant": "floor", "rules": [{"id": "a", "arming": "always"}]},
        {"plant": {"shifts": {"id": "x"}}, "rules": ["a", None]},
        {"rules": [{"arming": {"kind": "rule", "rule_id": ["a"]}}]},
        {"plant": None, "cameras": None},
    ],
)
def test_parts_of_other_shapes_are_passed_over(document: dict[str, Any]) -> None:
    assert not [message for _, message in problems(document) if "circle" in message]
