"""``anjeon model``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from safety.cli.settings import settings_of

commands = typer.Typer(help="The networks that watch.", no_args_is_help=True)


@commands.command("list")
def model_list() -> None:
    """Say which networks there are, what they find, and which are in use."""
    from safety.app.model import list_models

    list_models(settings_of("model"))


@commands.command("verify")
def model_verify() -> None:
    """Compare every network with its checksum."""
    from safety.app.model import verify_models

    raise typer.Exit(0 if verify_models(settings_of("model")) else 1)


@commands.command("add")
def model_add(
    file: Annotated[Path, typer.Argument(help="Ultralytics network: .pt, .onnx or .engine.")],
    name: Annotated[str | None, typer.Option(help="What to call it; else as the file.")] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--map", help="Their class = ours, e.g. 'Safety Helmet=hardhat'; repeat."),
    ] = None,
) -> None:
    """Add a network of your own, with its classes mapped to ours."""
    from safety.app.model_add import add_model, parse_map

    add_model(settings_of("model"), file, name=name, wanted=parse_map(classes or []))


@commands.command("pull")
def model_pull(
    name: Annotated[str, typer.Argument(help="yolo11s-pose, yolo11m-pose, …")],
    url: Annotated[str | None, typer.Option(help="Where it lies, if not at Ultralytics.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What it must have, if not pinned.")] = None,
) -> None:
    """Fetch a larger official network, check it against its pinned SHA-256, and add it."""
    from safety.app.model_pull import pull_model

    pull_model(settings_of("model"), name, url=url, sha256=sha256)


@commands.command("export")
def model_export(
    network: Annotated[str, typer.Argument(help="A file, or a name that 'model list' shows.")],
    form: Annotated[Literal["openvino", "onnx", "engine"], typer.Option("--format")],
    half: Annotated[bool, typer.Option("--half", help="Weights in 16 bits.")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Convolutions in 8 bits.")] = False,
    pictures: Annotated[
        Path | None, typer.Option(help="Directory of typical pictures, for --int8.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Directory to write to.")] = Path("exported"),
) -> None:
    """Write a network in the form that another program or device needs."""
    from safety.app.model_export import Export, export_model

    wanted = Export(form=form, half=half, int8=int8, pictures=pictures, out=out)
    export_model(settings_of("model"), network, wanted)


@commands.command("train")
def model_train(
    recipe: Annotated[str, typer.Option(help="people, ppe, or a recipe file of your own.")],
    data: Annotated[Path, typer.Option(help="Directory of the data sets.")],
    out: Annotated[Path, typer.Option(help="Directory for lists, logs and weights.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last epoch.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, …")] = None,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
) -> None:
    """Train a network; needs the extra "train"."""
    from safety.app.model_train import train_model

    settings_of("model")
    train_model(recipe, data=data, out=out, resume=resume, device=device, epochs=epochs)


@commands.command("val")
def model_val(
    recipe: Annotated[str, typer.Option(help="people, ppe, or a recipe file of your own.")],
    data: Annotated[Path, typer.Option(help="Directory of the data sets.")],
    scenes: Annotated[Path | None, typer.Option(help="Directory of the rendered scenes.")] = None,
    network: Annotated[
        Path | None, typer.Option("--model", help="Network file; else the bundled one.")
    ] = None,
    figures: Annotated[Path | None, typer.Option("--json", help="Keep the figures here.")] = None,
) -> None:
    """Measure a network again, with the detectors that the product runs."""
    from safety.app.model_train import validate_model

    settings_of("model")
    validate_model(recipe, data=data, scenes=scenes, model=network, figures=figures)
