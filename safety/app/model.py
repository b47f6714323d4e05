"""``anjeon model list`` and ``verify``: which networks there are, and whether they are whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from safety.config import Settings
from safety.errors import AnjeonError, ModelError
from safety.perception.added import meaning, note_path, read_note, sha256
from safety.perception.bundle import FOLDER, shipped
from safety.perception.convert import converted
from safety.perception.models import NetworkCard, find_pose_model, find_ppe_model, read_card


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A network that can be used.

    Attributes:
        path: Its file.
        origin: ``bundled``, ``added`` or ``chosen`` (a file named in the settings).
        wanted: The SHA-256 that it should have; None if nobody has said.
    """

    path: Path
    origin: str
    wanted: str | None


def list_models(settings: Settings) -> None:
    """Print a paragraph for every network."""
    used = dict(_used(settings))
    for known in _known(settings, used):
        uses = [use for use, path in used.items() if path == known.path]
        mark = f"  in use for {' and '.join(uses)}" if uses else ""
        typer.secho(f"{known.path.stem}  ({known.origin}){mark}", bold=True)
        for line in _described(known, settings):
            typer.echo(f"    {line}")


def verify_models(settings: Settings) -> bool:
    """Compare every network with its checksum; whether all are as they should be."""
    well = True
    for known in _known(settings, dict(_used(settings))):
        said = _difference(known)
        well &= said is None
        if said is not None:
            typer.secho(f"FAIL  {known.path}: {said}", fg="red")
        elif known.wanted is None:
            typer.echo(
                f"      {known.path}: no checksum is known; its SHA-256 {sha256(known.path)}"
            )
        else:
            typer.secho(f"ok    {known.path}: {known.wanted}", fg="green")
    return well


def _used(settings: Settings) -> Iterator[tuple[str, Path]]:
    """What the settings choose for each purpose; says so where that is nothing."""
    for use, find in (("people", find_pose_model), ("protective equipment", find_ppe_model)):
        try:
            yield use, find(settings)
        except ModelError as error:
            typer.secho(f"{use}: {error}", fg="yellow", err=True)


def _known(settings: Settings, used: dict[str, Path]) -> list[Known]:
    bundled = shipped()
    names = sorted({*bundled, *(path.name for path in FOLDER.glob("*.onnx"))})
    known = [
        Known(
            path=FOLDER / name,
            origin="bundled",
            wanted=bundled[name].sha256 if name in bundled else None,
        )
        for name in names
    ]
    for path in sorted(settings.models_dir.glob("*")):
        if note_path(path).is_file():
            note = read_note(path)
            known.append(Known(path=path, origin="added", wanted=note.sha256 if note else None))
    others = set(used.values()) - {network.path for network in known}
    return known + [Known(path=path, origin="chosen", wanted=None) for path in sorted(others)]


def _described(known: Known, settings: Settings) -> Iterator[str]:
    try:
        card = _card(known.path, settings)
        note = read_note(known.path)
        means = meaning(card.names, None if note is None else note.classes)
        yield f"task {card.task}; {known.path.stat().st_size / 1e6:.1f} MB; {known.path}"
        yield "classes " + ", ".join(_class(*pair) for pair in zip(card.names, means, strict=True))
        yield f"sha256 {sha256(known.path)}"
        if note is not None:
            yield f"added from {note.source}"
    except (AnjeonError, OSError) as error:
        yield str(error)


def _card(path: Path, settings: Settings) -> NetworkCard:
    return read_card(converted(path, settings.models_dir) if path.suffix == ".pt" else path)


def _class(theirs: str, ours: str | None) -> str:
    if ours is None:
        return f"({theirs}: ignored)"
    return ours if ours == theirs else f"{theirs} = {ours}"


def _difference(known: Known) -> str | None:
    """What is wrong with a file; None if nothing is."""
    if not known.path.is_file():
        return "the file is missing; install Anjeon again"
    if known.origin == "bundled" and known.wanted is None:
        return "it is not in the list of bundled networks; install Anjeon again"
    digest = sha256(known.path)
    if known.wanted in (None, digest):
        return None
    remedy = "install Anjeon again" if known.origin == "bundled" else "add it again"
    return f"its SHA-256 is {digest}, not {known.wanted}; {remedy}"
