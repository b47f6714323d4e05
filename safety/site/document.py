"""``site.yaml``: read with every problem found at once, written so that it reads back equal."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from safety.config import read_secret
from safety.errors import ConfigError
from safety.site import yaml_text
from safety.site.fields import plain_location
from safety.site.problems import Problem, SiteError
from safety.site.references import Location, broken_references
from safety.site.spec import SiteSpec
from safety.site.wording import sentence

_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+")
_HEADER = "# A site of Anjeon. Check it with: anjeon site check FILE\n"


def read_site(path: Path, *, check_secrets: bool = False) -> SiteSpec:
    """The site in a YAML file.

    Args:
        path: The file, UTF-8.
        check_secrets: Also find out whether every secret it refers to exists here.

    Raises:
        SiteError: It cannot be used; ``problems`` has everything that is wrong.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_text.MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise _unusable(path.name, "site.no_file", f"cannot be read: {reason}") from error
    if len(content) > yaml_text.MAX_BYTES:
        limit = yaml_text.MAX_BYTES // 1024
        message = f"is larger than {limit} KiB; this cannot be a site"
        raise _unusable(path.name, "site.too_large", message)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text; save it as UTF-8"
        raise _unusable(path.name, "site.encoding", message, line=line) from error
    return parse_site(text, source=path.name, check_secrets=check_secrets)


def parse_site(text: str, *, source: str = "site.yaml", check_secrets: bool = False) -> SiteSpec:
    """The site in a YAML text; ``source`` is what messages call it.

    Raises:
        SiteError: As for ``read_site``.
    """
    if len(text) > yaml_text.MAX_BYTES:
        limit = yaml_text.MAX_BYTES // 1024
        raise _unusable(source, "site.too_large", f"is larger than {limit} KiB; shorten it")
    document = yaml_text.parse(text)
    problems = [
        Problem(source=source, line=flaw.line, where=flaw.where, key=flaw.key, message=flaw.message)
        for flaw in document.flaws
    ]
    if problems and document.data is None:
        raise SiteError(problems)
    if not isinstance(document.data, dict):
        what = "is empty" if document.data is None else "is no mapping"
        message = f"{what}; begin with 'version: 1' and 'name: …'"
        raise _unusable(source, "site.empty", message)
    found = _Finder(source, document, document.data)
    problems += [*found.invalid(), *found.unrelated()]
    if check_secrets:
        problems += found.without_secret()
    if problems:
        raise SiteError(problems)
    return SiteSpec.model_validate(document.data)


def write_site(spec: SiteSpec) -> str:
    """The site as YAML: what it is first, defaults left out."""
    plain = {"version": spec.version, **_without_defaults(spec)}
    return _HEADER + yaml_text.write(plain, flow=_holds_no_mapping)


class _Finder:
    """Looks for everything that is wrong with one document."""

    def __init__(self, source: str, document: yaml_text.Document, data: dict[str, Any]) -> None:
        self._source = source
        self._document = document
        self._data = data

    def invalid(self) -> Iterator[Problem]:
        """Parts that their specification refuses."""
        try:
            SiteSpec.model_validate(self._data)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                if each["type"] == "site.reference":
                    continue  # ``unrelated`` finds these, all of them and with their lines
                where = plain_location(self._data, each["loc"])
                if each["type"].startswith("union_tag"):
                    where = (*where, "kind")
                yield self._problem(
                    where,
                    each["type"],
                    sentence(each, model=SiteSpec, data=self._data, where=where),
                    each.get("ctx", {}),
                )

    def unrelated(self) -> Iterator[Problem]:
        """Parts that refer to what is not there, or take one another's names."""
        for broken in broken_references(self._data):
            yield self._problem(broken.where, broken.key, broken.message, broken.params)

    def without_secret(self) -> Iterator[Problem]:
        """References to secrets that this machine does not have."""
        for where, text in _texts(self._data, ()):
            if _SECRET.fullmatch(text):
                try:
                    read_secret(text)
                except ConfigError as error:
                    yield self._problem(where, error.key, str(error), error.params)

    def _problem(
        self, where: Location, key: str, message: str, params: Mapping[str, object]
    ) -> Problem:
        return Problem(
            source=self._source,
            line=self._document.line_of(where),
            where=where,
            key=key if "." in key else f"site.{key}",
            message=message,
            params={name: str(value) for name, value in params.items()},
        )


def _unusable(source: str, key: str, message: str, *, line: int = 1) -> SiteError:
    return SiteError([Problem(source=source, line=line, where=(), key=key, message=message)])


def _texts(data: Any, where: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(data, str):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*where, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, (*where, number))


def _without_defaults(spec: BaseModel) -> dict[str, Any]:
    """The fields as plain data; of those equal to their default only ``kind`` is kept."""
    plain = spec.model_dump(mode="json")
    kept: dict[str, Any] = {}
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if value == field.default and name != "kind":
            continue
        if isinstance(value, BaseModel):
            kept[name] = _without_defaults(value)
        elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
            kept[name] = [_without_defaults(item) for item in value]
        else:
            kept[name] = plain[name]
    first = [name for name in ("id", "kind", "name") if name in kept]
    return {name: kept[name] for name in dict.fromkeys([*first, *kept])}


def _holds_no_mapping(value: Any) -> bool:
    return not isinstance(value, dict) and (
        not isinstance(value, list) or all(_holds_no_mapping(item) for item in value)
    )
