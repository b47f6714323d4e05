"""Trying a rule on what was recorded: a process of its own, one at a time, with a limit.

Replaying a day takes the processor for a while; in a process of its own, with the lowest
priority, it takes it from nobody who watches, and it can be ended at any time.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request

from dashboard.rule_forms import AnyRule
from safety.config import Settings
from safety.errors import AnjeonError
from safety.store.refusals import Conflict

LONGEST_S: Final = 120.0
"""How long a replay may take."""
LARGEST_BYTES: Final = 16_000_000
"""How much it may say."""
_LOOK_S = 0.5

_BUSY = asyncio.Lock()
"""One at a time in this process."""


class ReplayFailed(AnjeonError):
    """The rule could not be tried."""


async def try_rule(
    settings: Settings, request: Request, rule: AnyRule, *, since: str, camera: str = ""
) -> Mapping[str, Any]:
    """What the rule would have done, as ``anjeon replay --json`` says it; also one that is off.

    The process is ended when the limit is over, or when whoever asked has gone.

    Raises:
        Conflict: Another rule is being tried.
        ReplayFailed: It could not be replayed, took too long, or nobody waits for it any more.
    """
    if _BUSY.locked():
        raise Conflict("replay.busy", "another rule is being tried; wait until it is done")
    async with _BUSY:
        with tempfile.TemporaryDirectory(prefix="anjeon-replay-") as folder:
            proposal = await asyncio.to_thread(_written, Path(folder), rule)
            command = ["-m", "safety.cli", "replay", "--rule", proposal, "--since", since]
            command += ["--camera", camera] if camera else []
            return await _run(settings, request, [sys.executable, *command, "--json"], folder)


def _written(folder: Path, rule: AnyRule) -> str:
    path = folder / "rule.yaml"
    tried = rule.model_copy(update={"enabled": True})
    path.write_text(tried.model_dump_json(), encoding="utf-8")  # JSON is YAML
    return str(path)


async def _run(
    settings: Settings, request: Request, command: Sequence[str], folder: str
) -> Mapping[str, Any]:
    polite = [nice, "-n", "15"] if (nice := shutil.which("nice")) else []
    said, complaint = Path(folder, "out.json"), Path(folder, "err.txt")
    opened = await asyncio.to_thread(lambda: (said.open("wb"), complaint.open("wb")))
    with opened[0] as out, opened[1] as err:
        process = await asyncio.create_subprocess_exec(
            *polite,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=_environment(settings),
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                await _end_or_absence(process, request)
        except TimeoutError:
            raise ReplayFailed(
                "replay.too_long",
                "it takes longer than {seconds} s; try a shorter time or one camera",
                seconds=f"{LONGEST_S:g}",
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return await asyncio.to_thread(_result, said, complaint)


async def _end_or_absence(process: asyncio.subprocess.Process, request: Request) -> None:
    while process.returncode is None:
        try:
            await asyncio.wait_for(asyncio.shield(process.wait()), _LOOK_S)
        except TimeoutError:
            if await request.is_disconnected():
                raise ReplayFailed("replay.abandoned", "nobody waits for it any more") from None


def _result(said: Path, complaint: Path) -> Mapping[str, Any]:
    if said.stat().st_size > LARGEST_BYTES:
        raise ReplayFailed("replay.too_much", "it fires too often to be listed; try a shorter time")
    try:
        result = json.loads(said.read_bytes())
    except ValueError:
        why = complaint.read_text(encoding="utf-8", errors="replace").strip()
        raise ReplayFailed(
            "replay.failed", "it could not be tried: {why}", why=why[-500:] or "no answer"
        ) from None
    assert isinstance(result, dict)
    return result


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "ANJEON_DATA_DIR": str(settings.data_dir.resolve()),
        "ANJEON_DATABASE_URL": settings.database_url,
    }
