"""Texts for people, in Korean and English, from gettext catalogues.

A message is named by a dotted key such as ``alert.intrusion``; its text may hold
``{placeholders}``. The catalogues are read from the ``.po`` files themselves, so that
there is nothing to compile and nothing to forget to compile.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from babel.messages.pofile import read_po

from safety.errors import AnjeonError

Language = Literal["ko", "en"]

LANGUAGES: tuple[Language, ...] = ("ko", "en")
"""Every language there is a catalogue for, the default one first."""

LOCALE_DIR = Path(__file__).with_name("locale")


class Translate(Protocol):
    """Turns a message key and its values into a sentence."""

    def __call__(self, key: str, /, **params: object) -> str: ...


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Every message of one language, by key."""
    path = LOCALE_DIR / language / "LC_MESSAGES" / "anjeon.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    return {
        message.id: message.string
        for message in messages
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id
    }


def known_language(name: str | None) -> Language | None:
    """The language of this name, if there is a catalogue for it."""
    return next((language for language in LANGUAGES if language == name), None)


def translator(language: str) -> Translate:
    """The translation function of a language; an unknown one falls back to Korean.

    A list among the values is one of keys: their texts are put in, with commas between.
    A key without translation, or a text whose placeholders get no value, comes out as it
    stands: an alert with an odd sentence is better than none.
    """
    texts = catalogue(known_language(language) or LANGUAGES[0])

    def spoken(value: object) -> object:
        if isinstance(value, list | tuple):
            return ", ".join(texts.get(str(key), str(key)) for key in value)
        return value

    def translate(key: str, /, **params: object) -> str:
        text = texts.get(key, key)
        if not params:
            return text
        try:
            return text.format(**{name: spoken(value) for name, value in params.items()})
        except (KeyError, IndexError, ValueError):
            return text

    return translate


def explain(error: AnjeonError, language: str) -> str:
    """What an error says, in one language; in English where there is no translation."""
    if error.key in catalogue(known_language(language) or LANGUAGES[0]):
        return translator(language)(error.key, **error.params)
    return str(error)
