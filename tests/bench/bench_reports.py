"""A monthly report of a site with a million violations, and a programme of 12,000 sites.

Baseline of the first: the same report of a month with a thousand violations. Usage:
``python -m tests.bench reports``.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety.app.demo import demo_spec
from safety.programme.assess import assess
from safety.programme.collect import collect
from safety.programme.sources import on_disk
from safety.reports.monthly import Maker, monthly_report
from safety.reports.pdf import report_pdf
from safety.reports.xlsx import report_xlsx
from safety.site.apply import apply_site
from safety.store.database import Database
from tests.support.reports import hand_in, report_of

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
MONTH = "2026-10"
MANY, FEW = 1_000_000, 1_000
SITES = 12_000

Result = TypeVar("Result")

_INSERT = """
INSERT INTO violation (id, revision, phase, rule_id, rule_revision, rule_kind, camera_id, zone_id,
 subject, severity, captured_at, opened_at, closed_at, duration_s, details)
VALUES (?, 2, 'closed', ?, 1, 'intrusion', ?, ?, 't1', 'danger', ?, ?, ?, 3.0, '{}')
"""


def run() -> dict[str, float]:
    """Measure, print, and return the figures; each part in a process of its own."""
    figures: dict[str, float] = {}
    for part in (f"site {FEW}", f"site {MANY}", f"programme {SITES}"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.bench_reports", *part.split()],
            check=True,
            capture_output=True,
            text=True,
        )
        figures |= json.loads(done.stdout.splitlines()[-1])
    for key, value in figures.items():
        _say(f"{key:<40} {value:>10.2f}")
    return figures


def _site(violations: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/anjeon.db")
        database.migrate()
        site = demo_spec()
        apply_site(database, site, by="bench", now=NOW)
        with database.engine.begin() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.executemany(_INSERT, _rows(violations))
        before_mb = _peak_mb()
        report, seconds, cpu = _timed(
            lambda: monthly_report(database, Maker(site=site, now=NOW, by="bench"), MONTH)
        )
        assert report.violations.total == violations
        _, pdf_s, _ = _timed(lambda: report_pdf(report, "ko"))
        _, xlsx_s, _ = _timed(lambda: report_xlsx(report, "ko"))
        return {
            f"site_{violations}_compose_s": seconds,
            f"site_{violations}_compose_cpu_s": cpu,
            f"site_{violations}_pdf_s": pdf_s,
            f"site_{violations}_xlsx_s": xlsx_s,
            f"site_{violations}_more_memory_mb": _peak_mb() - before_mb,
        }


def _rows(violations: int) -> Iterator[tuple[str, ...]]:
    """Spread evenly over the month of Seoul."""
    start = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)
    step = timedelta(days=31) / violations
    rules = demo_spec().rules
    for number in range(violations):
        rule = rules[number % len(rules)]
        zone = getattr(rule, "zone_id", "")
        at = (start + number * step).strftime("%Y-%m-%d %H:%M:%S.%f")
        yield f"{number:032x}", rule.id, "robot-cell", zone, at, at, at


def _programme(sites: int) -> dict[str, float]:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(sites):
            mean = float(chance.gamma(1.0, 3.0))
            before, after = int(chance.poisson(mean)), int(chance.poisson(mean * 0.75))
            report = report_of(number + 1, before=(before, 2e5), after=(after, 2e5))
            # As large as those of real sites: charts, months, incidents.
            hand_in(folder, report.model_copy(update={"months": report.months * 120}), key)
        size = sum(path.stat().st_size for path in folder.iterdir()) / sites / 1000
        before_mb = _peak_mb()
        programme, seconds, cpu = _timed(lambda: assess(collect(on_disk(folder.iterdir()))))
        assert programme.sites == sites
        return {
            f"programme_{sites}_file_kb": size,
            f"programme_{sites}_s": seconds,
            f"programme_{sites}_cpu_s": cpu,
            f"programme_{sites}_more_memory_mb": _peak_mb() - before_mb,
        }


def _timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    wall, cpu = perf_counter(), process_time()
    result = work()
    return result, perf_counter() - wall, process_time() - cpu


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _, what, count = sys.argv
    _say(json.dumps((_site if what == "site" else _programme)(int(count))))
