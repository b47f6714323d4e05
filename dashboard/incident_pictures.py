"""Judgements with their pictures, as one archive: people in them cannot be recognised.

Pictures are of whole alerts that somebody judged, blurred as those for sharing; the archive is
bounded, and nothing here trains anything.
"""

import hashlib
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dashboard.incident_dataset import as_lines
from safety.clock import Clock
from safety.evidence.copies import Copies, NoCopy
from safety.evidence.files import inside
from safety.store import evidence
from safety.store.database import Database
from safety.store.tables import Evidence

MOST_PICTURES: Final = 100
MOST_BYTES: Final = 50_000_000
MOST_S: Final = 60.0
"""Pictures of one archive, and how long the copies may take that nobody had made yet: what is
left out for want of time is there the next time."""

ABOUT: Final = """\
judgements.jsonl: one object per line. The first says what the file is for and who took it; each
of the others is an alert that somebody judged: rule, verdict, reason, and, where there is one,
the picture and the boxes in it (left, top, right, bottom, 0-1 of the picture; of whom the rule
was about, in the frame in which the violation opened).
pictures/: whole persons are blurred, and the zone and the boxes are drawn in.

Whoever took this has agreed not to develop machine learning with it without the deliberation
that article 28-12 of the Personal Information Protection Act (Korea) asks for. Nothing is
trained with it by itself. Delete it when its purpose is done.
"""
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A finished archive; whoever has sent it deletes the file.

    Attributes:
        left_out: How many pictures are not in it, by why.
    """

    path: Path
    sha256: str
    pictures: int
    left_out: Mapping[str, int]


def write_archive(
    head: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    *,
    database: Database,
    copies: Copies,
    directory: Path,
    clock: Clock,
) -> Archive:
    """Write judgements and the pictures of the newest of them; blocking, for up to a minute.

    Args:
        head: What the file is for.
        rows: Judgements, the newest first.
        database: Says which pictures there are.
        copies: Makes those that are not blurred yet.
        directory: Where evidence lies.
        clock: Ends it.

    Raises:
        StoreUnavailable: It is not known which pictures there are.
        OSError: There is no room for it.
    """
    gathered = _Gathered(copies, directory, ends=clock.now().monotonic + MOST_S, clock=clock)
    with tempfile.NamedTemporaryFile(suffix=".zip", delete=False) as file:
        path = Path(file.name)
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                shown = [dict(row) for row in rows]
                for start in range(0, len(shown), _PAGE):
                    page = shown[start : start + _PAGE]
                    with database.reading() as session:
                        ids = [str(row["violation_id"]) for row in page]
                        pictures = evidence.of_violations(session, ids, kind="picture")
                    for row in page:
                        row |= gathered.add(archive, pictures.get(str(row["violation_id"])))
                counted = {"pictures": gathered.pictures, "left_out": dict(gathered.left_out)}
                archive.writestr("judgements.jsonl", as_lines([{**head, **counted}, *shown]))
                archive.writestr("README.txt", ABOUT)
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Archive(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        pictures=gathered.pictures,
        left_out=gathered.left_out,
    )


class _Gathered:
    """Puts pictures into an archive until it has enough."""

    def __init__(self, copies: Copies, directory: Path, *, ends: float, clock: Clock) -> None:
        self._copies = copies
        self._directory = directory
        self._ends = ends
        self._clock = clock
        self._bytes = 0
        self.pictures = 0
        self.left_out: Counter[str] = Counter()

    def add(self, archive: zipfile.ZipFile, row: Evidence | None) -> dict[str, Any]:
        """Put in one picture; what is said of it beside its judgement."""
        if row is None:
            return {}
        why = self._enough()
        if why is None:
            try:
                data = self._copies.blurred(row, "bodies").read_bytes()
            except NoCopy as error:
                why = error.key
            except OSError:
                why = "evidence.gone"
        if why is not None:
            self.left_out[why] += 1
            return {}
        name = f"pictures/{row.violation_id}.jpg"
        # Pictures do not get smaller by packing.
        archive.writestr(name, data, compress_type=zipfile.ZIP_STORED)
        self.pictures += 1
        self._bytes += len(data)
        return {"picture": name, "boxes": list(_boxes(self._directory, row))}

    def _enough(self) -> str | None:
        if self.pictures >= MOST_PICTURES or self._bytes >= MOST_BYTES:
            return "enough"
        return "time" if self._clock.now().monotonic >= self._ends else None


def _boxes(directory: Path, row: Evidence) -> Iterator[Sequence[float]]:
    """Whom the rule was about, as the file beside the violation's clip says."""
    picture = inside(directory, row.path)
    if picture is None:
        return
    try:
        box = json.loads(picture.with_suffix(".json").read_bytes())["violation"]["box"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if isinstance(box, list) and len(box) == 4:
        yield box
