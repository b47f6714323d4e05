"""What a camera is: where its pictures come from and how they are analysed."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, field_validator

from safety.config import Label, SecretRef, Slug, Spec
from zones.calibration import CalibrationSpec
from zones.survey import solve


class RtspSpec(Spec):
    """A network camera, read over TCP."""

    kind: Literal["rtsp"] = "rtsp"
    url: str = Field(max_length=1000)
    """rtsp:// or rtsps:// address without user name and password."""
    username: str | None = Field(default=None, max_length=200)
    """User name at the camera."""
    password: SecretRef | None = None
    """Where the password is kept: env:NAME or file:/path."""

    @field_validator("url")
    @classmethod
    def _rtsp_without_credentials(cls, url: str) -> str:
        if not url.startswith(("rtsp://", "rtsps://")):
            raise ValueError("must start with rtsp:// or rtsps://")
        if "@" in url.split("//", 1)[1].split("/", 1)[0]:
            raise ValueError("must not contain user name or password; use username and password")
        return url


class FileSpec(Spec):
    """A video file, played at its own pace as if it were a camera."""

    kind: Literal["file"] = "file"
    path: Path
    """Video file on this machine."""
    loop: bool = True
    """Start again at the end; otherwise the camera goes blind there."""
    begins_at: FiniteFloat | None = None
    """Unix time of a beginning of the film: with the same one several films, and feeds that are
    made up, keep in step. Not given: it begins when it is opened."""


class SyntheticSpec(Spec):
    """The synthetic twin: a drawn room with a walking figure, for set-up and tests."""

    kind: Literal["synthetic"] = "synthetic"
    width_px: int = Field(default=1280, ge=64, le=3840)
    """Picture width."""
    height_px: int = Field(default=720, ge=64, le=2160)
    """Picture height."""
    fps: float = Field(default=15.0, gt=0, le=60)
    """Frames per second."""


SourceSpec = Annotated[RtspSpec | FileSpec | SyntheticSpec, Field(discriminator="kind")]


class CameraSpec(Spec):
    """One camera."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """Whether it is read at all; a disabled camera is NOT MONITORED."""
    source: SourceSpec
    """Where the pictures come from."""
    network_width: Literal[640, 960, 1280] = 640
    """Width in pixels at which the network sees the picture; wider sees farther, costs more."""
    analysis: Literal["auto", "full_frame"] = "auto"
    """auto: close-ups of zones, or a wider network, where people look too small and the machine
    can afford it; full_frame: the whole picture at network_width and nothing else."""
    max_fps: float = Field(default=10.0, gt=0, le=60)
    """Frames analysed per second at the most."""
    min_fps: float = Field(default=2.0, gt=0, le=60)
    """Below this analysis rate the camera is DEGRADED."""
    frozen_after_s: float | None = Field(default=5.0, ge=2, le=3600)
    """Seconds without any change in the picture, clock bands at top and bottom left out, after
    which it counts as frozen; null for sources that truly stand still, such as drawings."""
    blind_alert_after_s: float = Field(default=10.0, ge=0, le=3600)
    """Seconds of blindness after which an alert is raised."""
    evidence_before_s: float = Field(default=10.0, ge=0, le=60)
    """Seconds of video kept from before a violation."""
    evidence_after_s: float = Field(default=5.0, ge=0, le=60)
    """Seconds of video kept from after a violation opened."""
    calibration: CalibrationSpec | None = None
    """How it sees the floor; without it, zones on the floor plan are not watched by it."""
    disabled_reason: Label | None = None
    """Why it is disabled, for people to read."""

    @field_validator("calibration")
    @classmethod
    def _usable(cls, calibration: CalibrationSpec | None) -> CalibrationSpec | None:
        if calibration is not None:
            solve(calibration)
        return calibration
