"""Building blocks of every specification, and the settings of this process."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from safety.errors import ConfigError

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Identifier in configuration: lower-case letters, digits, ``-`` and ``_``; 63 at most."""

Label = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"
    ),
]
"""Text for people; any script, on one line."""

SecretRef = Annotated[
    str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+)$", max_length=500)
]
"""Where a secret is kept, never the secret: ``env:NAME`` or ``file:/absolute/path``."""


class Spec(BaseModel):
    """Base of every specification: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def read_settings() -> "Settings":
    """The settings in the environment.

    Raises:
        ConfigError: A variable has a value that cannot be used, or looks like one of ours with a
            slip of the finger.
    """
    _refuse_slips(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(
            "config.setting",
            "the environment variable ANJEON_{name} is wrong: {why}",
            name="_".join(str(part) for part in first["loc"]).upper(),
            why=first["msg"].replace("Input should", "it should", 1),
        ) from None


def _refuse_slips(environment: Mapping[str, str]) -> None:
    # Variables that look like none of ours are let be: they may be somebody's secrets.
    known = [f"ANJEON_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        if not name.startswith("ANJEON_") or name in known:
            continue
        nearest = get_close_matches(name, known, n=1, cutoff=0.9)
        if nearest:
            raise ConfigError(
                "config.unknown_setting",
                "there is no setting {name}; did you mean {nearest}?",
                name=name,
                nearest=nearest[0],
            )


def read_secret(reference: str) -> str:
    """The secret behind ``env:NAME`` or ``file:/path``.

    Raises:
        ConfigError: It is not there; the message names the reference, not the value.
    """
    scheme, _, place = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(place, "")
    elif scheme == "file":
        try:
            value = Path(place).read_text(encoding="utf-8").strip()
        except OSError:
            value = ""
    else:
        raise ConfigError(
            "config.secret_scheme",
            "'{scheme}:' is not a place for secrets; use env:NAME or file:/absolute/path",
            scheme=scheme,
        )
    if not value:
        raise ConfigError(
            "config.secret_missing",
            "the secret {reference} is empty or missing; set it before starting Anjeon",
            reference=reference,
        )
    return value


class Settings(BaseSettings):
    """What this process needs to know before it can read the database.

    Every field is read from the environment as ``ANJEON_<NAME>``.
    """

    model_config = SettingsConfigDict(
        env_prefix="ANJEON_",
        env_ignore_empty=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    data_dir: Path = Path("data")
    """Directory of everything Anjeon writes: database, evidence, spool, sockets."""

    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in the data directory."""

    pose_model: Path | None = None
    """Pose network: a file, or the name of one that was added; empty means the bundled one."""

    ppe_model: Path | None = None
    """Network for protective equipment, chosen in the same way; empty means the bundled one."""

    ppe_mode: Literal["crops", "full_frame"] = "crops"
    """What that network is shown: ``crops`` of persons from the full-resolution picture, or the
    ``full_frame`` as it is analysed, for networks that were trained so."""

    backend: Literal["auto", "openvino", "onnxruntime", "ultralytics"] = "auto"
    """Which inference engine runs the networks."""

    device: Literal["auto", "cpu", "gpu", "npu", "cuda", "tensorrt"] = "auto"
    """What runs them: the processor, Intel's `gpu` or `npu`, NVIDIA's `cuda` or `tensorrt`."""

    host: str = "127.0.0.1"
    """Address the dashboard listens on."""

    port: int = Field(default=8460, ge=0, le=65535)
    """Port the dashboard listens on; 0 picks a free one."""

    public_url: str = Field(default="", max_length=300, pattern=r"^$|^https?://[^\s?#]+$")
    """Address at which people reach the dashboard, such as `https://anjeon.example.com`;
    messages then carry a link to the alert."""

    metrics_port: int = Field(default=8461, ge=0, le=65535)
    """Port of the engine's ``/metrics``, ``/healthz`` and ``/readyz``; 0 picks a free one."""

    cameras_per_shard: int = Field(default=16, ge=1, le=16)
    """How many cameras share one shard process."""

    observation_hours: float = Field(default=48.0, ge=0, le=24 * 60)
    """How long observations (who was where, no pictures) are kept to try rules on; 0: not at
    all."""

    observation_mb_per_camera: float = Field(default=500.0, ge=1, le=100_000)
    """How much is kept of each camera at the most, megabytes."""

    evidence_days: float = Field(default=30.0, ge=1, le=3660)
    """How long evidence is kept after its alert was judged and its incident closed, days."""

    evidence_gb: float = Field(default=50.0, ge=0.1, le=1_000_000)
    """How much evidence may take up, gigabytes; then the oldest that is neither open nor held
    goes before its time."""

    disk_reserve_gb: float = Field(default=2.0, ge=0, le=100_000)
    """How much of the disk evidence leaves free, gigabytes."""

    audit_years: float = Field(default=5.0, ge=1, le=100)
    """How long the audit trail is kept, years."""

    sums_years: float = Field(default=3.0, ge=1, le=100)
    """How long sums of the floor (where people were) and of protective equipment are kept,
    years. Monthly reports stay."""

    programme_dir: Path | None = None
    """For a programme office: folder with the sites' signed reports (.json), and sites.csv if
    there is one; managers may pool it from the page."""

    evidence_originals: Literal["viewer", "operator", "manager"] = "operator"
    """Who sees evidence as it was recorded; everybody below sees it blurred."""

    dataset_pictures: bool = False
    """Whether managers may export judgements of alerts with their blurred pictures."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe log line that is written."""

    log_format: Literal["console", "json"] = "console"
    """``console`` for people, ``json`` for log collectors."""

    def make_data_dir(self) -> None:
        """Make the data directory, for its user alone, if it is not there.

        Raises:
            ConfigError: It cannot be made, or nothing can be written to it.
        """
        place = self.data_dir.resolve()
        why = ""
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except FileExistsError:
            why = "it is a file"
        except OSError as error:
            why = (error.strerror or "unknown reason").lower()
        if not why and not os.access(place, os.W_OK | os.X_OK):
            why = "it is not writable"
        if why:
            raise ConfigError(
                "config.data_dir",
                "the data directory {place} cannot be used ({why}); set ANJEON_DATA_DIR to a"
                " directory that this user may write to",
                place=str(place),
                why=why,
            )

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'anjeon.db'}"

    @property
    def run_dir(self) -> Path:
        """Directory of the Unix sockets."""
        return self.data_dir / "run"

    @property
    def spool_dir(self) -> Path:
        """Directory of violations that the record has not confirmed yet."""
        return self.data_dir / "spool"

    @property
    def evidence_dir(self) -> Path:
        """Directory of clips and pictures."""
        return self.data_dir / "evidence"

    @property
    def observations_dir(self) -> Path:
        """Directory of what was observed lately."""
        return self.data_dir / "observations"

    @property
    def drills_dir(self) -> Path:
        """Directory of the films of drills, while they are being held."""
        return self.data_dir / "drills"

    @property
    def looks_dir(self) -> Path:
        """Directory of what the shards' plans of how to look at pictures were made from."""
        return self.data_dir / "looks"

    @property
    def plans_dir(self) -> Path:
        """Pictures under the floor plan."""
        return self.data_dir / "plans"

    @property
    def models_dir(self) -> Path:
        """Directory of the networks that were added, and of what is made of networks."""
        return self.data_dir / "models"

    @property
    def engine_socket(self) -> Path:
        """The engine's Unix socket: shards and dashboards connect to it."""
        return self.run_dir / "engine.sock"

    def shard_socket(self, shard_id: str) -> Path:
        """A shard's Unix socket: dashboards fetch live video there."""
        return self.run_dir / f"{shard_id}.sock"
