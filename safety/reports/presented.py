"""A paper in words: what page, PDF and XLSX all show, so that they cannot differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table: as a spreadsheet takes it, and as people read it.

    Attributes:
        value: None: not known.
        text: Never empty for a number.
        formula: What computes it from other cells of its row, with ``{name}`` for their columns;
            empty: it is no result.
    """

    value: str | float | int | None
    text: str
    formula: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a caption.

    Attributes:
        key: The same in every language; names the sheet and the columns of formulas.
        names: Of the columns, for formulas.
        heads: Of the columns, for people.
        numeric: Which columns are set flush right.
    """

    key: str
    title: str
    names: tuple[str, ...]
    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One large number of the first page."""

    label: str
    text: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Where a picture stands, and what it shows in a sentence."""

    key: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report below one heading."""

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The whole paper in one language.

    Attributes:
        warning: That it is fictional, or not final; empty otherwise.
        watermark: The same in a word, across every page.
        verdict: One sentence of a closed set.
        explained: What the verdict rests on, one sentence each; the picture ``target`` follows.
        main: The table of the first page.
        signatures: Who signs.
    """

    language: str
    title: str
    site: str
    month: str
    made: str
    made_at: datetime
    warning: str
    watermark: str
    position: str
    verdict: str
    explained: tuple[str, ...]
    headlines: tuple[Headline, ...]
    main: Table
    sections: tuple[Section, ...]
    signatures: tuple[str, ...]


def table(
    key: str,
    title: str,
    columns: Sequence[tuple[str, str, bool]],
    rows: Sequence[Sequence[Cell]],
    note: str = "",
) -> Table:
    """A table from ``(name, head, numeric)`` for each column."""
    names, heads, numeric = zip(*columns, strict=True)
    return Table(
        key=key,
        title=title,
        names=names,
        heads=heads,
        numeric=numeric,
        rows=tuple(tuple(row) for row in rows),
        note=note,
    )
