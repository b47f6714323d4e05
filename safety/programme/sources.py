"""Where the reports come from: files on disk, or what somebody sent in; one at a time, bounded."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from safety.errors import AnjeonError

LARGEST_BYTES: Final = 10_000_000
MOST_FILES: Final = 50_000
MOST_BYTES: Final = 2_000_000_000
"""Of all files of an archive together, unpacked: 12,000 sites with large reports."""

_LONGEST_NAME = 120


class ReportRefused(AnjeonError):
    """A file that cannot be used, and what the office can do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A file that may be a report.

    Attributes:
        name: For people only, never a path that is opened.
        read: Its bytes; raises ``ReportRefused``.
    """

    name: str
    read: Callable[[], bytes]


def on_disk(paths: Iterable[Path]) -> Iterator[ReportFile]:
    """Files on disk."""
    for path in paths:
        yield ReportFile(name=path.name, read=partial(_content, path))


def in_folder(folder: Path) -> list[ReportFile]:
    """All ``.json`` files of a folder and of those below it.

    Raises:
        ReportRefused: It is no folder, or holds too many files.
    """
    if not folder.is_dir():
        raise ReportRefused(
            "programme.no_folder",
            "{path} is no folder; give the one that holds the reports (.json)",
            path=str(folder),
        )
    return _bounded(on_disk(folder.rglob("*.json")), folder.name)


def sent_in(name: str, data: bytes) -> list[ReportFile]:
    """What somebody sent: one report, or a ZIP archive of them.

    Raises:
        ReportRefused: The archive cannot be read, or holds too much.
    """
    name = _shown(name)
    if not data.startswith(b"PK"):
        return [ReportFile(name=name, read=partial(_small_enough, name, data))]
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _unreadable(name, error) from error
    wanted = [each for each in archive.infolist() if _is_report(each)]
    if sum(each.file_size for each in wanted) > MOST_BYTES:
        raise _too_much(name)
    files = (
        ReportFile(name=_shown(each.filename), read=partial(_unpacked, archive, each))
        for each in wanted
    )
    return _bounded(files, name)


def _is_report(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.lower()
    return name.endswith(".json") and not name.startswith("__macosx/")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name = _shown(entry.filename)
    if entry.file_size > LARGEST_BYTES:
        raise _too_large(name)
    try:
        with archive.open(entry) as stream:
            return stream.read(LARGEST_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise _unreadable(name, error) from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _too_large(path.name)
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path.name, error) from error


def _small_enough(name: str, data: bytes) -> bytes:
    if len(data) > LARGEST_BYTES:
        raise _too_large(name)
    return data


def _bounded(files: Iterable[ReportFile], name: str) -> list[ReportFile]:
    found: list[ReportFile] = []
    for file in files:
        found.append(file)
        if len(found) > MOST_FILES:
            raise _too_much(name)
    return found


def _shown(name: str) -> str:
    """The last part of a name that came from elsewhere, printable and not too long."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[-_LONGEST_NAME:] or "?"


def _too_large(name: str) -> ReportRefused:
    return ReportRefused(
        "programme.too_large",
        "{file} is larger than {limit} MB, which no monthly report is; leave it out",
        file=name,
        limit=str(LARGEST_BYTES // 1_000_000),
    )


def _too_much(name: str) -> ReportRefused:
    return ReportRefused(
        "programme.too_much",
        "{file} holds more than {files} reports or {gigabytes} GB; hand in fewer at once",
        file=name,
        files=str(MOST_FILES),
        gigabytes=str(MOST_BYTES // 1_000_000_000),
    )


def _unreadable(name: str, error: Exception) -> ReportRefused:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ReportRefused(
        "programme.unreadable",
        "{file} cannot be read ({why}); check the file and its rights",
        file=name,
        why=why,
    )
