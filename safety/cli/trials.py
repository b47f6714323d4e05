"""The commands that try rules on records, and score the analysis."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from safety.cli.settings import settings_of

commands = typer.Typer()


@commands.command()
def replay(
    rule: Annotated[str, typer.Option(help="A rule's id, or a YAML file with rules.")],
    source: Annotated[
        Path | None, typer.Argument(help="A film; else what the cameras observed lately.")
    ] = None,
    camera: Annotated[str | None, typer.Option(help="The camera, by id.")] = None,
    since: Annotated[
        str, typer.Option(help="30m, 2h, 7d, or a time such as 2026-01-05T08:00.")
    ] = "24h",
    site_file: Annotated[
        Path | None, typer.Option("--site", help="Site file; else the running site.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write clips of a film here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try a rule on what was recorded: what would fire, and what that changes."""
    from safety.app.replay import run_replay

    run_replay(
        settings_of("replay"),
        source,
        rule=rule,
        camera=camera,
        since=since,
        site_file=site_file,
        out=out,
        as_object=json,
    )


@commands.command()
def score(
    scenes: Annotated[list[Path], typer.Argument(help="Folders with video.mp4 and truth.json.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    width: Annotated[int, typer.Option(help="Network width in pixels.")] = 640,
    fps: Annotated[
        float | None, typer.Option(help="Frames analysed per second; else all.", min=0.5, max=60)
    ] = None,
    loss: Annotated[
        float, typer.Option(help="Share of the frames that is lost at random.", min=0, max=0.9)
    ] = 0.0,
    analysis: Annotated[
        Literal["full_frame", "auto"],
        typer.Option(help="The whole picture at --width, or as a shard would look at the zones."),
    ] = "full_frame",
) -> None:
    """Score detection, rules and distances on scenes whose truth is known."""
    from safety.app.score import run_score

    run_score(
        settings_of("score"),
        scenes,
        width=width,
        fps=fps,
        loss=loss,
        as_object=json,
        analysis=analysis,
    )
