"""Channel ``axis_speaker``: an audio clip on an Axis network speaker, by VAPIX.

Source: Media clip API (https://developer.axis.com/vapix/audio-systems/media-clip-api).
"""

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.channels.base import SirenLevel
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_errors import refused
from alerts.channels.siren_http import HttpDevice, LoginSpec, base_url
from alerts.channels.siren_spec import SirenSpec
from safety.clock import Clock


class AxisSpeakerSpec(LoginSpec, SirenSpec):
    """An Axis network speaker (or camera with one) that plays stored clips."""

    kind: Literal["axis_speaker"] = "axis_speaker"
    host: str = Field(min_length=1, max_length=253)
    """Name or address of the speaker."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port; empty: 80, or 443 with TLS."""
    tls: bool = False
    """Whether the connection is encrypted; the certificate is verified."""
    danger_clip: int = Field(ge=0, le=999)
    """Number of the clip for danger, as the speaker lists it."""
    warning_clip: int | None = Field(default=None, ge=0, le=999)
    """Number of the clip for a warning; empty: the one for danger."""
    clip_s: float = Field(default=5.0, ge=0.5, le=600)
    """How long the clips last; they are started again after that."""
    danger_volume: int | None = Field(default=None, ge=1, le=1000)
    """Volume in percent at danger; empty: not said, for speakers that do not take it."""
    warning_volume: int | None = Field(default=None, ge=1, le=1000)
    """Volume in percent at warning."""

    @model_validator(mode="after")
    def _complete(self) -> "AxisSpeakerSpec":
        if (self.username is None) != (self.password is None):
            raise PydanticCustomError(
                "channel.login_pair", "user name and password belong together; give both or none"
            )
        return self


class AxisSpeaker(SirenDriver):
    """Starts a clip when the level changes and whenever it has ended.

    A clip ends by itself, so a dead Anjeon is quiet within its length.
    """

    keeps_time = False

    def __init__(self, spec: AxisSpeakerSpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self._spec = spec
        self._base = base_url(spec.host, spec.port, tls=spec.tls) + "/axis-cgi"
        self._http = HttpDevice(spec, digest=True, tls=spec.tls)
        self._playing = SirenLevel.OFF
        self._ends_at = 0.0

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        if level is SirenLevel.OFF:
            self._playing = level
            return await self._call("stopclip.cgi")
        if level is self._playing and self._clock.now().monotonic < self._ends_at:
            # Started anew every two seconds nobody would understand a word of it.
            return f"{await self._ask()}, playing"
        self._playing = SirenLevel.OFF
        answer = await self._call(f"playclip.cgi?{self._query(level)}")
        self._playing = level
        self._ends_at = self._clock.now().monotonic + self._spec.clip_s
        return answer

    async def _ask(self) -> str:
        status, _ = await self._http.ask(
            "GET", f"{self._base}/param.cgi?action=list&group=Properties.AudioClip"
        )
        return f"HTTP {status}"

    async def _release(self) -> None:
        await self._http.close()

    async def _call(self, target: str) -> str:
        status, text = await self._http.ask("GET", f"{self._base}/{target}")
        if not text.strip().upper().startswith("OK"):
            raise refused(self._base.removesuffix("/axis-cgi"), text.strip()[:60])
        return f"HTTP {status}"

    def _query(self, level: SirenLevel) -> str:
        spec = self._spec
        clip, volume = spec.danger_clip, spec.danger_volume
        if level is SirenLevel.WARNING:
            clip = spec.danger_clip if spec.warning_clip is None else spec.warning_clip
            volume = spec.warning_volume
        return f"clip={clip}" + (f"&volume={volume}" if volume is not None else "")
