"""Reading a proposed rule, and checking that it fits into the site."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from safety.replay.study import ReplayError
from safety.site import yaml_text
from safety.site.references import nearest
from safety.site.spec import SiteSpec
from zones.specs import RuleSpec


def proposals_for(site: SiteSpec, place: str) -> tuple[RuleSpec, ...]:
    """The proposed rules: a rule of the site by its id, or those in a YAML file.

    The file holds one rule, a list of rules, or a mapping with ``rules``, as a site file does.

    Raises:
        ReplayError: There is no such rule or file, or it is wrong; the message says where.
    """
    known = {rule.id: rule for rule in site.rules}
    if place in known:
        # A rule that is off is tried as if it were on.
        return (known[place].model_copy(update={"enabled": True}),)
    path = Path(place)
    if not path.is_file():
        raise ReplayError(
            "replay.no_rule",
            "'{place}' is neither a rule of this site nor a file{hint}",
            place=place,
            hint=nearest(place, known),
        )
    return checked(site, _items(path))


def checked(site: SiteSpec, rules: Sequence[Any]) -> tuple[RuleSpec, ...]:
    """Rules as plain data, checked as part of this site.

    Raises:
        ReplayError: One of them is wrong or refers to what the site does not have.
    """
    ids = [rule.get("id") for rule in rules if isinstance(rule, Mapping)]
    kept = [rule for rule in site.rules if rule.id not in ids]
    try:
        whole = SiteSpec.model_validate({**dict(site), "rules": (*kept, *rules)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ReplayError(
            "replay.rule",
            "the proposed rule cannot be used: {why}",
            why=f"{'.'.join(str(part) for part in first['loc'][1:])}: {first['msg']}".lstrip(": "),
        ) from error
    return tuple(rule for rule in whole.rules if rule.id in ids)


def _items(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayError(
            "replay.unreadable",
            "{path} cannot be read ({why}); give a YAML file in UTF-8",
            path=str(path),
            why=str(error),
        ) from error
    document = yaml_text.parse(text)
    if document.flaws:
        flaw = document.flaws[0]
        raise ReplayError(
            "replay.yaml",
            "{path}:{line}: {why}",
            path=str(path),
            line=str(flaw.line),
            why=flaw.message,
        )
    data = document.data
    if isinstance(data, Mapping) and "rules" in data:
        data = data["rules"]
    return list(data) if isinstance(data, list) else [data]
