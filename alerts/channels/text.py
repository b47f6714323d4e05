"""Text for messengers: clean, as long as the receiver takes, and with its link.

Lengths are what a receiver counts: UTF-16 code units (the Korean and most other messengers)
or bytes in some encoding (SMS). Nothing is cut within a grapheme cluster, so that no emoji
becomes another one and no Hangul syllable loses its last consonant.
"""

import re
import unicodedata
from collections.abc import Callable

import regex

from alerts.channels.base import Notice

Length = Callable[[str], int]

ELLIPSIS = "…"

_LINK = re.compile(r"https?://\S+")
_CLUSTERS = regex.compile(r"\X")
_UNSEEN = {"Cc", "Cf", "Cs"}
_KEPT = {"\n", "\u200d"}
"""Line breaks, and the joiner inside emoji."""


def utf16_length(text: str) -> int:
    """Code units of UTF-16: what Kakao, NAVER and browsers count as characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def sms_bytes(text: str) -> int:
    """Bytes of a Korean short message: one for ASCII, two for everything else."""
    return sum(1 if ord(character) < 128 else 2 for character in text)


def cleaned(text: str) -> str:
    """Without control characters, direction overrides and unpaired surrogates.

    Names of cameras and zones come from people and files; a message must not be able to hide
    or turn round what it says.
    """
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _UNSEEN)


def one_line(text: str) -> str:
    """Cleaned, and without line breaks: for headers, titles and template variables."""
    return " ".join(cleaned(text).split())


def shortened(text: str, limit: int, *, length: Length = utf16_length) -> str:
    """``text``, at most ``limit`` long, ending with ``…`` where something was left out.

    The last link in it is kept whole; it is what leads to everything that was left out. Only
    a link that is longer than the limit by itself is given up, for half a link leads nowhere.
    """
    if length(text) <= limit:
        return text
    links = _LINK.findall(text)
    if not links:
        return _cut(text, limit, length)
    before, _, after = text.rpartition(links[-1])
    tail = f"\n{links[-1]}"
    room = limit - length(tail)
    if room <= length(ELLIPSIS):
        return links[-1] if length(links[-1]) <= limit else _cut(before, limit, length)
    rest = " ".join(part for part in (before.strip(), after.strip()) if part)
    return f"{_cut(rest, room, length)}{tail}"


def message_text(notice: Notice, limit: int, *, length: Length = utf16_length) -> str:
    """What a person gets: the notice's sentence, and its link on a line of its own."""
    link = notice_link(notice)
    text = cleaned(notice.text)
    return shortened(f"{text}\n{link}" if link else text, limit, length=length)


def notice_link(notice: Notice) -> str:
    """Address of the alert's page; empty if the site has none."""
    link = notice.data.get("link")
    return link if isinstance(link, str) and _LINK.fullmatch(link) else ""


def _cut(text: str, limit: int, length: Length) -> str:
    if length(text) <= limit:
        return text
    room = limit - length(ELLIPSIS)
    kept: list[str] = []
    used = 0
    for cluster in _CLUSTERS.findall(text):
        used += length(cluster)
        if used > room:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + ELLIPSIS if room >= 0 else ""
