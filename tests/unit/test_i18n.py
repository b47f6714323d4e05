"""Every text exists in both languages, with the same placeholders."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from safety.errors import AnjeonError
from safety.i18n import LANGUAGES, catalogue, explain, translator

ROOT = Path(__file__).parents[2]
PACKAGES = ("safety", "cameras", "zones", "alerts", "dashboard")
KEY = re.compile(r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$")
IN_TEMPLATE = re.compile(r"""_\(\s*'([^']+)'\s*[,)]""")
PREFIX_IN_TEMPLATE = re.compile(r"""_\(\s*'([a-z_.]+\.)'\s*~""")
ERRORS = re.compile(
    r"(Error|Unavailable|Refused|Conflict|Invalid|NotFound|Forbidden|BadRequest|Unprocessable"
    r"|ServerFault|UnsupportedMediaType|NoPicture|__init__)$"
)
NOT_SHOWN = re.compile(r"^(wire|argv)\.")
"""Keys of failures between programs, which nobody is shown."""


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def called_name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def keys_in_python() -> set[str]:
    """Keys given to translators and to errors, as far as they are written out."""
    found = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            first = node.args[0]
            if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                continue
            name = called_name(node)
            speaks = name in {"translate", "_"} or ERRORS.search(name)
            if speaks and KEY.match(first.value) and not NOT_SHOWN.match(first.value):
                found.add(first.value)
    return found


def keys_in_templates() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "dashboard").rglob("*.html")]
    return {key for text in texts for key in IN_TEMPLATE.findall(text)}


def prefixes_in_templates() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "dashboard").rglob("*.html")]
    return {prefix for text in texts for prefix in PREFIX_IN_TEMPLATE.findall(text)}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_is_used_has_a_text(language: str) -> None:
    known = catalogue("ko" if language == "ko" else "en")
    missing = (keys_in_python() | keys_in_templates()) - set(known)
    assert sorted(missing) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_that_are_put_together_have_texts(language: str) -> None:
    known = catalogue("ko" if language == "ko" else "en")
    without = [p for p in prefixes_in_templates() if not any(key.startswith(p) for key in known)]
    assert without == []


def test_both_languages_have_the_same_keys() -> None:
    assert set(catalogue("ko")) ^ set(catalogue("en")) == set()


def test_placeholders_agree() -> None:
    korean, english = catalogue("ko"), catalogue("en")
    different = {
        key: (korean[key], english[key])
        for key in korean
        if placeholders(korean[key]) != placeholders(english[key])
    }
    assert different == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_given_twice(language: str) -> None:
    text = (ROOT / "safety/locale" / language / "LC_MESSAGES/anjeon.po").read_text("utf-8")
    keys = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
    assert [key for key in set(keys) if keys.count(key) > 1] == []


def test_korean_texts_are_korean() -> None:
    foreign = {
        key: text
        for key, text in catalogue("ko").items()
        if len(re.findall("[A-Za-z]", re.sub(r"\{\w+\}", "", text))) > 8
        and not re.search("[가-힣]", text)
    }
    assert foreign == {}


def test_an_unknown_key_comes_out_as_it_is() -> None:
    assert translator("en")("no.such.key", name="x") == "no.such.key"


def test_a_missing_value_leaves_the_text_readable() -> None:
    assert translator("en")("alert.lasts") == "Happening now · {length}"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "먼저 비밀번호를 정하십시오."),
        ("en", "Choose a password first."),
        ("xx", "먼저 비밀번호를 정하십시오."),
    ],
)
def test_errors_are_explained_in_the_readers_language(language: str, said: str) -> None:
    assert explain(AnjeonError("web.password_first", "choose one"), language) == said


def test_an_error_without_translation_is_explained_in_english() -> None:
    assert explain(AnjeonError("no.such.key", "lost {what}", what="it"), "ko") == "lost it"
