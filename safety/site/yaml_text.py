"""YAML as people expect it: the core schema of YAML 1.2, every value's line known.

PyYAML reads YAML 1.1, in which ``no`` is false and ``22:30`` is 1350. Here only ``true``,
``false``, ``null`` and numbers are anything but text. Anchors, aliases, tags and merge keys
are refused: a site has no use for them, and a few lines of them can fill the memory.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from safety.site.references import Location

MAX_BYTES = 512 * 1024
"""A site with 64 cameras, 320 zones and 320 rules needs an eighth of this."""

_MAX_DEPTH = 20
_FOLDED = re.compile("[\x85\u2028\u2029\ufeff]")
"""Characters that PyYAML writes as they are and then reads as line breaks or not at all."""

_CORE: tuple[tuple[str, str, str], ...] = (
    ("tag:yaml.org,2002:null", r"(?:~|null|Null|NULL|)", "~nN"),
    ("tag:yaml.org,2002:bool", r"(?:true|True|TRUE|false|False|FALSE)", "tTfF"),
    ("tag:yaml.org,2002:int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would take for anything but text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


for _tag, _pattern, _first in _CORE:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            _tag, re.compile(rf"^{_pattern}$"), [*_first, *([""] if "null" in _tag else [])]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something that makes a text no usable YAML document."""

    line: int
    where: Location
    key: str
    message: str


@dataclass(slots=True)
class Document:
    """Plain data, with the line on which each of its parts stands.

    Attributes:
        data: Mappings, lists, text, numbers, booleans and None.
        lines: Line of every key or list item, from 1, by its place.
        flaws: What is wrong; ``data`` then lacks the parts at fault.
    """

    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def line_of(self, where: Location) -> int:
        """The line of this place, or of the nearest thing around it that exists."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


def parse(text: str) -> Document:
    """Read one YAML document; never raises for what is in it."""
    document = Document()
    try:
        _refuse_dangers(text)
        node = yaml.compose(text, Loader=_Loader)
    except _Refused as refused:
        document.flaws.append(refused.flaw)
    except yaml.MarkedYAMLError as error:
        document.flaws.append(_syntax_flaw(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        message = f"the character U+{code:04X} is not allowed in YAML; remove it"
        document.flaws.append(Flaw(line=line, where=(), key="yaml.character", message=message))
    else:
        document.data = None if node is None else _plain(node, (), document)
    return document


def write(data: Any, *, flow: Callable[[Any], bool]) -> str:
    """The data as YAML that ``parse`` reads back unchanged.

    Args:
        data: Mappings, lists, text, numbers, booleans and None.
        flow: Which lists to write on one line.
    """

    class Dumper(_Dumper):
        pass

    def represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
        return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow(items))

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = '"' if _FOLDED.search(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(list, represent_list)
    Dumper.add_representer(str, represent_text)
    written: str = yaml.dump(
        data,
        Dumper=Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=100,
    )
    return written


class _Refused(Exception):
    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


def _refuse_dangers(text: str) -> None:
    """Look at the events one by one, before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _refuse(
                line, "yaml.alias", "anchors and aliases (& and *) are not used here; write it out"
            )
        if tag := getattr(event, "tag", None):
            _refuse(line, "yaml.tag", f"tags such as {tag} are not used here; remove it")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            _refuse(line, "yaml.depth", "nested too deeply; a site needs no more than six levels")


def _refuse(line: int, key: str, message: str) -> None:
    raise _Refused(Flaw(line=line, where=(), key=key, message=message))


def _syntax_flaw(error: yaml.MarkedYAMLError) -> Flaw:
    mark = error.problem_mark or error.context_mark
    why = " ".join(filter(None, [error.context, error.problem])) or "unreadable"
    if "'\\t'" in why or "tab" in why:
        why = "a tab character; indent with spaces"
    elif "expected a single document" in why:
        why = "a second document begins here (---); put everything into one"
    else:
        why = f"{why}; check indentation, quotes and colons here and on the line before"
    return Flaw(
        line=mark.line + 1 if mark else 1, where=(), key="yaml.syntax", message=f"not YAML: {why}"
    )


def _plain(node: yaml.Node, where: Location, document: Document) -> Any:
    document.lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, number), document) for number, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node)


def _mapping(node: yaml.MappingNode, where: Location, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            message = "every key must be text; quote it if it is a number or a word like null"
            document.flaws.append(Flaw(line=line, where=where, key="yaml.key", message=message))
        elif key in found:
            message = f"the key stands on line {document.lines[*where, key]} already; remove one"
            flaw = Flaw(line=line, where=(*where, key), key="yaml.repeated_key", message=message)
            document.flaws.append(flaw)
        else:
            document.lines[*where, key] = line
            found[key] = _plain(value_node, (*where, key), document)
    return found


def _scalar(node: yaml.ScalarNode) -> Any:
    kind, text = node.tag.rpartition(":")[2], str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and len(text) <= 30:
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    return float(text) if kind == "float" else text
