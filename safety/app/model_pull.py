"""``anjeon model pull``: larger official networks, by name, with a pinned checksum."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
import typer

from safety.app.model_add import add_model
from safety.config import Settings
from safety.errors import ConfigError, ModelError

_OFFICIAL = "https://github.com/ultralytics/assets/releases/download/v8.3.0"

LARGEST_BYTES = 300_000_000
"""A larger answer is no network of ours."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file that anybody gets in the same form."""

    file: str
    sha256: str


PINNED = {
    "yolo11n-pose": Pinned(
        "yolo11n-pose.pt", "869e83fcdffdc7371fa4e34cd8e51c838cc729571d1635e5141e3075e9319dc0"
    ),
    "yolo11s-pose": Pinned(
        "yolo11s-pose.pt", "1060bda4a27012060eca246f9b2adeea22eabb045a1e58f8d229be29b7ebc2ba"
    ),
    "yolo11m-pose": Pinned(
        "yolo11m-pose.pt", "29b17eaf3a3117cbea906090dbedf9159f7c6a49db58ec8b99ed2dfde1cf6eb2"
    ),
}
"""Ultralytics' networks for COCO, AGPL-3.0."""


def pull_model(settings: Settings, name: str, *, url: str | None, sha256: str | None) -> None:
    """Fetch a network, check it and add it.

    Args:
        name: One of ``PINNED``, or any other if ``url`` and ``sha256`` are given.
        url: Where it lies; None: at Ultralytics.
        sha256: What it must have; None: what is pinned.

    Raises:
        ConfigError: Nobody knows where it lies, or what its checksum must be.
        ModelError: It cannot be fetched, or is another file; the message says what to copy where.
    """
    pinned = PINNED.get(name)
    if pinned is not None:
        url, sha256 = url or f"{_OFFICIAL}/{pinned.file}", sha256 or pinned.sha256
    if url is None or sha256 is None:
        raise ConfigError(
            "model.not_pinned",
            "no checksum is pinned for '{name}'; known are {known}; for another network give"
            " --url and --sha256",
            name=name,
            known=", ".join(PINNED),
        )
    suffix = Path(httpx.URL(url).path).suffix
    with tempfile.TemporaryDirectory(prefix="anjeon-pull-") as folder:
        file = Path(folder) / f"{name}{suffix}"
        _fetch(url, file, sha256.lower())
        add_model(settings, file, name=name, wanted={})


def _fetch(url: str, file: Path, sha256: str) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with (
            file.open("wb") as out,
            httpx.stream("GET", url, follow_redirects=True, timeout=30) as answer,
        ):
            answer.raise_for_status()
            for part in answer.iter_bytes():
                size += len(part)
                if size > LARGEST_BYTES:
                    raise _unfetched(url, file, "the answer is too large to be a network")
                digest.update(part)
                out.write(part)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unfetched(url, file, str(error) or type(error).__name__) from error
    if digest.hexdigest() != sha256:
        raise ModelError(
            "model.other_checksum",
            "what {url} gives has the SHA-256 {got}, not {wanted}; it was not kept",
            url=url,
            got=digest.hexdigest(),
            wanted=sha256,
        )
    typer.echo(f"fetched {url} ({size / 1e6:.1f} MB), SHA-256 as pinned")


def _unfetched(url: str, file: Path, why: str) -> ModelError:
    return ModelError(
        "model.not_fetched",
        "{url} cannot be fetched ({why}); without internet, fetch it elsewhere, copy {file} to"
        " this machine and run 'anjeon model add {file}'",
        url=url,
        why=why,
        file=file.name,
    )
