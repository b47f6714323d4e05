"""The commands that start, show and check the system."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from safety import __version__
from safety.cli.settings import settings_of

commands = typer.Typer()


@commands.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@commands.command()
def run() -> None:
    """Start everything: the engine with its shards, and the dashboard."""
    from safety.app.everything import run_everything

    asyncio.run(run_everything(settings_of("run")))


@commands.command()
def engine() -> None:
    """Start the engine and its shards, without the dashboard."""
    from safety.app.engine import run_engine

    asyncio.run(run_engine(settings_of("engine")))


@commands.command()
def shard(
    shard_id: Annotated[str, typer.Option("--id", help="Name of the shard, e.g. shard-0.")],
) -> None:
    """Start one shard; the engine starts those it needs by itself."""
    from safety.app.shard import start_shard

    start_shard(settings_of(shard_id), shard_id)


@commands.command()
def dashboard() -> None:
    """Start the dashboard alone."""
    from safety.app.dashboard import run_dashboard

    asyncio.run(run_dashboard(settings_of("dashboard")))


@commands.command()
def demo(
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds.", min=5)] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Open no browser; fail if no siren sounded.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the demo's data here; else it is deleted.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Begin with two made-up years on record.")
    ] = False,
) -> None:
    """Run the whole system on a demo site: two rendered cameras and a recording siren."""
    from safety.app.demo import run_demo

    ok = asyncio.run(
        run_demo(seconds=seconds, headless=headless, data_dir=data_dir, history=history)
    )
    raise typer.Exit(0 if ok else 1)


@commands.command()
def doctor() -> None:
    """Check every camera, the network, the database and every channel; say what to mend."""
    from safety.app.doctor import run_doctor

    raise typer.Exit(0 if run_doctor(settings_of("doctor")) else 1)


@commands.command()
def drill(
    camera: Annotated[
        str, typer.Option(help="The camera through whose chain the scene is played.")
    ],
    siren: Annotated[str, typer.Option(help="The siren that is to sound, by channel id.")],
) -> None:
    """Try a camera's chain to a siren with a film, at the siren's mildest level."""
    from safety.app.drill import run_drill

    ok = run_drill(settings_of("drill"), camera_id=camera, channel_id=siren)
    raise typer.Exit(0 if ok else 1)
