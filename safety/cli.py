"""The command ``anjeon``."""

import asyncio
import faulthandler
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from safety import __version__
from safety.config import Settings, read_settings
from safety.errors import AnjeonError
from safety.logs import configure_logging

app = typer.Typer(
    name="anjeon",
    help="Watches factory floors through the CCTV that is already there. Not a safety function.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
site = typer.Typer(help="The site as one YAML file.", no_args_is_help=True)
user = typer.Typer(help="Who may sign in.", no_args_is_help=True)
app.add_typer(site, name="site")
app.add_typer(user, name="user")
model = typer.Typer(help="The networks that watch.", no_args_is_help=True)
app.add_typer(model, name="model")
report = typer.Typer(help="Reports for the safety manager and the programme.", no_args_is_help=True)
app.add_typer(report, name="report")
programme = typer.Typer(help="For a programme office: many sites as one.", no_args_is_help=True)
app.add_typer(programme, name="programme")
audit = typer.Typer(help="The audit trail and the files of evidence.", no_args_is_help=True)
app.add_typer(audit, name="audit")

Role = Literal["viewer", "operator", "manager", "admin"]


def _settings(process: str) -> Settings:
    settings = read_settings()
    configure_logging(level=settings.log_level, log_format=settings.log_format, process=process)
    return settings


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def run() -> None:
    """Start everything: the engine with its shards, and the dashboard."""
    from safety.app.everything import run_everything

    asyncio.run(run_everything(_settings("run")))


@app.command()
def engine() -> None:
    """Start the engine and its shards, without the dashboard."""
    from safety.app.engine import run_engine

    asyncio.run(run_engine(_settings("engine")))


@app.command()
def shard(
    shard_id: Annotated[str, typer.Option("--id", help="Name of the shard, e.g. shard-0.")],
) -> None:
    """Start one shard; the engine starts those it needs by itself."""
    from safety.app.shard import start_shard

    start_shard(_settings(shard_id), shard_id)


@app.command()
def dashboard() -> None:
    """Start the dashboard alone."""
    from safety.app.dashboard import run_dashboard

    asyncio.run(run_dashboard(_settings("dashboard")))


@app.command()
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


@app.command()
def doctor() -> None:
    """Check every camera, the network, the database and every channel; say what to mend."""
    from safety.app.doctor import run_doctor

    raise typer.Exit(0 if run_doctor(_settings("doctor")) else 1)


@app.command()
def drill(
    camera: Annotated[
        str, typer.Option(help="The camera through whose chain the scene is played.")
    ],
    siren: Annotated[str, typer.Option(help="The siren that is to sound, by channel id.")],
) -> None:
    """Try a camera's chain to a siren with a film, at the siren's mildest level."""
    from safety.app.drill import run_drill

    ok = run_drill(_settings("drill"), camera_id=camera, channel_id=siren)
    raise typer.Exit(0 if ok else 1)


@app.command()
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
        _settings("replay"),
        source,
        rule=rule,
        camera=camera,
        since=since,
        site_file=site_file,
        out=out,
        as_object=json,
    )


@report.command("monthly")
def report_monthly(
    month: Annotated[str | None, typer.Option(help="2026-11; else the last full month.")] = None,
    lang: Annotated[Literal["ko", "en"] | None, typer.Option(help="Else the site's.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path(),
    revise: Annotated[
        str | None, typer.Option(help="Why a month that was reported is reported anew.")
    ] = None,
) -> None:
    """Write the report of a month: PDF, spreadsheet and signed JSON."""
    from safety.app.report import run_monthly

    run_monthly(_settings("report"), month=month, language=lang, out=out, revise=revise)


@programme.command("pool")
def programme_pool(
    folder: Annotated[Path, typer.Argument(help="Folder with the sites' signed .json reports.")],
    sites: Annotated[
        Path | None, typer.Option(help="CSV with columns site and key: who belongs to it.")
    ] = None,
    month: Annotated[str | None, typer.Option(help="Leave out reports of later months.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for PDF, XLSX and JSON.")] = None,
    lang: Annotated[Literal["ko", "en"], typer.Option(help="Language.")] = "ko",
) -> None:
    """Pool many sites: did accidents fall, whom to call, who watches how much."""
    from safety.app.programme import run_pool

    ok = run_pool(folder, sites=sites, month=month, out=out, language=lang)
    raise typer.Exit(0 if ok else 1)


@app.command()
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
        _settings("score"),
        scenes,
        width=width,
        fps=fps,
        loss=loss,
        as_object=json,
        analysis=analysis,
    )


@site.command("check")
def site_check(
    file: Annotated[Path, typer.Argument(help="Site file, YAML.")],
    secrets: Annotated[bool, typer.Option(help="Also check that all secrets are there.")] = True,
) -> None:
    """Say everything that is wrong with a site file; changes nothing."""
    from safety.app.site import check_file

    check_file(file, secrets=secrets)


@site.command("apply")
def site_apply(file: Annotated[Path, typer.Argument(help="Site file, YAML.")]) -> None:
    """Make the database, and so the running system, as the file says."""
    from safety.app.site import apply_file

    apply_file(_settings("site"), file)


@site.command("export")
def site_export(
    file: Annotated[Path | None, typer.Argument(help="Where to write; else the screen.")] = None,
) -> None:
    """Write the site as it is."""
    from safety.app.site import export_file

    export_file(_settings("site"), file)


@audit.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(help="A head that was noted: the trail must still hold it.")
    ] = None,
    files: Annotated[bool, typer.Option(help="Also compare evidence with its hashes.")] = True,
) -> None:
    """Find what was changed, deleted or moved; exit status 1 if anything was."""
    from safety.app.audit import verify_trail

    raise typer.Exit(0 if verify_trail(_settings("audit"), head=head, files=files) else 1)


@audit.command("head")
def audit_head() -> None:
    """Print the newest link of the trail, to be noted elsewhere."""
    from safety.app.audit import print_head

    print_head(_settings("audit"))


@user.command("once")
def user_once() -> None:
    """Print a link that signs in the administrator once; for the first start and for lock-outs."""
    from safety.app.users import print_one_time_login

    print_one_time_login(_settings("user"))


@user.command("add")
def user_add(
    login: str,
    role: Annotated[Role, typer.Option(help="What they may do.")] = "viewer",
    name: Annotated[str | None, typer.Option(help="Full name; else the login.")] = None,
) -> None:
    """Add somebody; the password is asked for."""
    from safety.app.users import add_user

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    add_user(_settings("user"), login=login, name=name or login, role=role, password=password)


@user.command("passwd")
def user_passwd(login: str) -> None:
    """Set somebody's password; ends all their sessions."""
    from safety.app.users import find_user, set_password

    settings = _settings("user")
    find_user(settings, login)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    set_password(settings, login=login, password=password)


@model.command("list")
def model_list() -> None:
    """Say which networks there are, what they find, and which are in use."""
    from safety.app.model import list_models

    list_models(_settings("model"))


@model.command("verify")
def model_verify() -> None:
    """Compare every network with its checksum."""
    from safety.app.model import verify_models

    raise typer.Exit(0 if verify_models(_settings("model")) else 1)


@model.command("add")
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

    add_model(_settings("model"), file, name=name, wanted=parse_map(classes or []))


@model.command("pull")
def model_pull(
    name: Annotated[str, typer.Argument(help="yolo11s-pose, yolo11m-pose, …")],
    url: Annotated[str | None, typer.Option(help="Where it lies, if not at Ultralytics.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What it must have, if not pinned.")] = None,
) -> None:
    """Fetch a larger official network, check it against its pinned SHA-256, and add it."""
    from safety.app.model_pull import pull_model

    pull_model(_settings("model"), name, url=url, sha256=sha256)


@model.command("export")
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
    export_model(_settings("model"), network, wanted)


@model.command("train")
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

    _settings("model")
    train_model(recipe, data=data, out=out, resume=resume, device=device, epochs=epochs)


@model.command("val")
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

    _settings("model")
    validate_model(recipe, data=data, scenes=scenes, model=network, figures=figures)


def main() -> None:
    """Entry point of the console script: known failures are one clear line and exit status 2."""
    faulthandler.enable()
    from safety.app.ownership import check_packages

    try:
        check_packages()
        app()
    except AnjeonError as error:
        typer.secho(f"anjeon: {error}", fg=typer.colors.RED, err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
