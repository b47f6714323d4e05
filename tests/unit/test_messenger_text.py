"""Text for messengers: never too long, never half a character, never without its link."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.base import Notice
from alerts.channels.text import (
    cleaned,
    message_text,
    one_line,
    shortened,
    sms_bytes,
    utf16_length,
)

LINK = "https://anjeon.example.com/alerts/a1"
FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇰🇷"
DECOMPOSED = "\u1112\u1161\u11ab"
"""One Hangul syllable in three letters."""


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("short", 5, "short"),
        ("too long", 5, "too…"),
        ("프레스 구역에 사람이 있습니다", 6, "프레스 구…"),
        (f"a{FAMILY}b", 12, "a…"),
        (f"a{FAMILY}b", 13, f"a{FAMILY}b"),
        (f"{FLAG}{FLAG}", 7, f"{FLAG}…"),
        (f"{DECOMPOSED}{DECOMPOSED}", 5, f"{DECOMPOSED}…"),
        (f"somebody is in the press\n{LINK}", 45, f"somebod…\n{LINK}"),
        (f"look: {LINK} and more words", 45, f"look: a…\n{LINK}"),
        (f"somebody\n{LINK}", len(LINK), LINK),
        (f"somebody\n{LINK}", len(LINK) - 1, f"somebody\n{LINK}"[:8]),
        ("anything", 0, ""),
    ],
)
def test_shortened(text: str, limit: int, said: str) -> None:
    assert shortened(text, limit).rstrip() == said
    assert utf16_length(shortened(text, limit)) <= limit


LETTERS = st.sampled_from(["a", " ", "가", "é", "e\u0301", FAMILY, FLAG, DECOMPOSED, "👍🏽", "\n"])


@given(
    st.lists(LETTERS).map("".join), st.integers(0, 80), st.sampled_from([utf16_length, sms_bytes])
)
def test_nothing_is_too_long_and_no_character_is_cut(text: str, limit: int, length: object) -> None:
    assert callable(length)
    said = shortened(text, limit, length=length)
    assert length(said) <= limit
    whole = regex.findall(r"\X", text)
    kept = regex.findall(r"\X", said.removesuffix("…"))
    assert kept == whole[: len(kept)]


@given(st.lists(LETTERS).map("".join), st.integers(len(LINK), 200))
def test_the_link_survives_whole(text: str, limit: int) -> None:
    said = shortened(f"{text}\n{LINK}", limit)
    assert said.endswith(LINK)
    assert utf16_length(said) <= limit


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("press\x00\x1b[31m 3", "press[31m 3"),
        ("gate \u202egnorw\u202c", "gate gnorw"),
        ("a\u2066b\u2069\u200e", "ab"),
        ("two\r\nlines\ttab", "two\nlines tab"),
        ("\ud800lone", "lone"),
        (FAMILY, FAMILY),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_what_cannot_be_seen_is_removed(text: str, clean: str) -> None:
    assert cleaned(text) == clean


def test_a_header_has_one_line() -> None:
    assert one_line("press\r\nBcc: everybody@example.com") == "press Bcc: everybody@example.com"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"link": LINK}, f"somebody is in Press 3\n{LINK}"),
        ({}, "somebody is in Press 3"),
        ({"link": "javascript:alert(1)"}, "somebody is in Press 3"),
        ({"link": 7}, "somebody is in Press 3"),
    ],
)
def test_a_message_is_sentence_and_link(data: dict[str, object], said: str) -> None:
    notice = Notice(
        id="n1",
        event="raised",
        alert_id="a1",
        severity="danger",
        raised_at=0.0,
        text="somebody is in Press 3",
        data=data,
    )
    assert message_text(notice, 200) == said
