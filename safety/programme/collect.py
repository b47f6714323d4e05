"""Reads the reports that sites handed in: signature, schema, duplicates, revisions.

One file at a time, and only a few numbers of each are kept, so that twelve thousand sites fit
on any office computer.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from safety.errors import AnjeonError
from safety.programme.sources import ReportFile, ReportRefused
from safety.reports.schema import SCHEMA, SCHEMA_VERSION, MonthlyReport, PeriodFacts, PpeShare
from safety.reports.signing import opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the programme keeps of a site's newest report.

    Attributes:
        before, after: The target's two periods; None: the site has no baseline, or no hours.
        monitored_hours, installed_hours: Of all cameras in the month.
        fictional: Demonstration data.
        worn: Each item of protective equipment that the site's rules asked for.
    """

    site: str
    name: str
    key: str
    month: str
    revision: int
    before: PeriodFacts | None
    after: PeriodFacts | None
    monitored_hours: float
    installed_hours: float
    fictional: bool
    worn: tuple[PpeShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that was left out."""

    file: str
    error: AnjeonError


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """All sites' newest reports.

    Attributes:
        standings: By site.
        duplicates: Files that were there twice, byte by byte.
        superseded: Reports that a later revision or month replaces.
    """

    standings: Mapping[str, Standing]
    problems: tuple[Problem, ...]
    duplicates: int
    superseded: int


def read_registry(path: Path) -> dict[str, str]:
    """The programme's sites and the keys they sign with: CSV with columns ``site`` and ``key``.

    Raises:
        ReportRefused: It cannot be read, or has other columns.
    """
    try:
        return registry_of(path.read_bytes(), str(path))
    except OSError as error:
        raise _no_registry(str(path), error) from error


def registry_of(content: bytes, name: str) -> dict[str, str]:
    """As ``read_registry``, of a file's content.

    Raises:
        ReportRefused: It is no such list.
    """
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        return {row["site"].strip(): row["key"].strip() for row in rows}
    except (UnicodeDecodeError, KeyError, AttributeError, csv.Error) as error:
        raise _no_registry(name, error) from error


def _no_registry(name: str, error: Exception) -> ReportRefused:
    return ReportRefused(
        "programme.registry",
        "{path} is no list of sites ({why}); it must be a CSV file in UTF-8 with the columns"
        " site and key",
        path=name,
        why=str(error) or type(error).__name__,
    )


def collect(
    files: Iterable[ReportFile],
    *,
    registry: Mapping[str, str] | None = None,
    month: str | None = None,
) -> Collected:
    """Read reports; whatever cannot be used is listed, never fatal.

    Args:
        files: In any order.
        registry: Key by site, as the programme knows them; None: the key of a site's first
            report (by file name) must sign all its others.
        month: Reports of later months are left out; None: the newest counts.
    """
    gathering = _Gathering(registry)
    for file in sorted(files, key=lambda file: file.name):
        try:
            gathering.add(file, month)
        except AnjeonError as error:
            gathering.problems.append(Problem(file=file.name, error=error))
    return Collected(
        standings=gathering.undisputed,
        problems=tuple(gathering.problems),
        duplicates=gathering.duplicates,
        superseded=gathering.superseded,
    )


class _Gathering:
    def __init__(self, registry: Mapping[str, str] | None) -> None:
        self._registry = registry
        self._keys: dict[str, str] = {}
        self._digests: dict[tuple[str, str, int], bytes] = {}
        self._newest: dict[str, Standing] = {}
        self._disputed: set[str] = set()
        self.problems: list[Problem] = []
        self.duplicates = 0
        self.superseded = 0

    @property
    def undisputed(self) -> dict[str, Standing]:
        """The newest report by site, without sites of which nobody knows which one counts."""
        return {site: one for site, one in self._newest.items() if site not in self._disputed}

    def add(self, file: ReportFile, month: str | None) -> None:
        """Read one file.

        Raises:
            AnjeonError: It cannot be used.
        """
        content = file.read()
        standing = _standing(content, file.name)
        self._check_key(standing, file.name)
        if month is not None and standing.month > month:
            return
        identity = (standing.site, standing.month, standing.revision)
        digest = hashlib.sha256(content).digest()
        if self._digests.setdefault(identity, digest) != digest:
            self._disputed.add(standing.site)
            raise ReportRefused(
                "programme.two_versions",
                "{file}: site {site} handed in two different reports of {month} with the same"
                " revision {revision}; the site is left out until it hands in a new revision",
                file=file.name,
                site=standing.name,
                month=standing.month,
                revision=str(standing.revision),
            )
        known = self._newest.get(standing.site)
        if known is None:
            self._newest[standing.site] = standing
            return
        if (known.month, known.revision) == (standing.month, standing.revision):
            self.duplicates += 1
            return
        self.superseded += 1
        if (known.month, known.revision) < (standing.month, standing.revision):
            self._newest[standing.site] = standing

    def _check_key(self, standing: Standing, name: str) -> None:
        if self._registry is not None and standing.site not in self._registry:
            raise ReportRefused(
                "programme.unknown_site",
                "{file}: the list of sites does not know {site} ({id}); add it with its key, or"
                " leave the file out",
                file=name,
                site=standing.name,
                id=standing.site,
            )
        known = (
            self._keys.setdefault(standing.site, standing.key)
            if self._registry is None
            else self._registry[standing.site]
        )
        if known != standing.key:
            raise ReportRefused(
                "programme.other_key",
                "{file} is signed with another key than {site} is known by; call the site, and"
                " change the list of sites only if it confirms the new key",
                file=name,
                site=standing.name,
            )


def _standing(content: bytes, name: str) -> Standing:
    document, key = opened(content, name=name)
    version = str(document.get("schema_version", ""))
    if document.get("schema") == SCHEMA and version.split(".")[0] not in {"1", ""}:
        raise ReportRefused(
            "programme.newer",
            "{file} has schema version {version}, which is newer than this Anjeon; update the"
            " programme office's Anjeon",
            file=name,
            version=version,
        )
    try:
        # A later minor version has parts that are not known here; what is known counts.
        later = _minor(version) > _minor(SCHEMA_VERSION)
        report = MonthlyReport.model_validate(document, extra="ignore" if later else None)
    except ValidationError as error:
        first = error.errors()[0]
        raise ReportRefused(
            "programme.schema",
            "{file} is signed but is no monthly report as the schema has it ({where}: {why});"
            " ask the site to make the report again",
            file=name,
            where=".".join(str(step) for step in first["loc"]),
            why=first["msg"],
        ) from None
    return Standing(
        site=report.site.id,
        name=report.site.name,
        key=key,
        month=report.month,
        revision=report.revision,
        before=_with_hours(report.target.before),
        after=_with_hours(report.target.after),
        monitored_hours=sum(camera.monitored_hours for camera in report.coverage),
        installed_hours=sum(camera.installed_hours for camera in report.coverage),
        fictional=report.fictional,
        worn=() if report.ppe is None else report.ppe.overall,
    )


def _minor(version: str) -> int:
    minor = version.partition(".")[2]
    return int(minor) if minor.isdecimal() and len(minor) < 6 else 0


def _with_hours(period: PeriodFacts | None) -> PeriodFacts | None:
    return period if period is not None and period.hours > 0 else None
