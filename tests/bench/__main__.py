"""Runs benchmarks and says on which machine: ``python -m tests.bench [NAME ...] [--json FILE]``.

A name is that of a module without ``bench_``: ``throughput``. Without names all run, one after
the other. What cannot run here says why and leaves no figures.
"""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from safety.clock import SystemClock
from tests.bench.machine import describe_machine

FOLDER = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--json", type=Path, help="write machine and figures to this file too")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names()):
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names())}")
    document: dict[str, Any] = {"machine": describe_machine(), "benches": {}}
    for key, value in document["machine"].items():
        _say(f"{key:<12} {value}")
    failed = False
    for name in options.names or names():
        _say(f"\n== {name}, load {os.getloadavg()[0]:.2f}")
        result = _run(name)
        document["benches"][name] = result
        failed = failed or "failed" in result
        if options.json is not None:
            # After every bench: an interrupted run keeps what it has measured.
            options.json.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return int(failed)


def names() -> list[str]:
    """All benchmarks there are."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def _run(name: str) -> dict[str, Any]:
    clock = SystemClock()
    load, begun = os.getloadavg()[0], clock.now().monotonic
    outcome: dict[str, Any]
    try:
        outcome = {"figures": importlib.import_module(f"tests.bench.bench_{name}").run()}
    except pytest.skip.Exception as skipped:
        outcome = {"skipped": str(skipped)}
        _say(f"skipped: {skipped}")
    except (Exception, pytest.fail.Exception) as error:  # the others run nevertheless
        outcome = {"failed": f"{type(error).__name__}: {error}"}
        _say(f"FAILED: {outcome['failed']}")
    return outcome | {"load_before": load, "seconds": round(clock.now().monotonic - begun, 1)}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
