"""``anjeon run``: the engine and the dashboard as processes of their own, kept running."""

import asyncio
import contextlib
import os
import signal
import sys

import structlog

from safety.clock import Clock

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 15.0
STABLE_S = 30.0
"""A process that ran this long was well; its next restart waits the first pause again."""
GRACE_S = 15.0
"""How long processes get to finish evidence before they are killed."""


async def keep_running(command: list[str], *, name: str, clock: Clock) -> None:
    """Start a command again and again until cancelled, then end it.

    Args:
        command: Program and arguments; the environment is inherited.
        name: For the log.
        clock: For the pauses between restarts.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        started = clock.now().monotonic
        process = await asyncio.create_subprocess_exec(*command)
        log.info("process_started", name=name, pid=process.pid)
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if clock.now().monotonic - started >= STABLE_S:
            pause_s = FIRST_PAUSE_S
        log.error("process_ended", name=name, status=status, again_in_s=pause_s)
        await clock.sleep_async(pause_s)
        pause_s = min(LAST_PAUSE_S, pause_s * 2)


async def run_processes(commands: dict[str, list[str]], *, clock: Clock) -> None:
    """Keep several commands running until SIGTERM or SIGINT."""
    tasks = [
        asyncio.create_task(keep_running(command, name=name, clock=clock))
        for name, command in commands.items()
    ]
    await stop_signal()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def stop_signal() -> None:
    """Wait for SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def anjeon_command(*arguments: str) -> list[str]:
    """The command line that runs ``anjeon`` with this interpreter."""
    return [sys.executable, "-m", "safety.cli", *arguments]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with some variables set."""
    return {**os.environ, **changes}


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
