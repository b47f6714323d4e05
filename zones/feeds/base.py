"""What all plant feeds share: their settings, the table of states, and the loop that reconnects."""

import math
import random
import ssl
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import structlog
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Clock
from safety.config import Label, Slug, Spec
from safety.errors import AnjeonError
from safety.types import MachineState
from zones.feeds.port import FeedPort

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.25
LAST_PAUSE_S = 3.0
STABLE_S = 10.0
"""A connection that lasted this long starts the pauses anew."""

Value = bool | int | float | str
"""What a machine may say of its state."""


class FeedError(AnjeonError):
    """A feed cannot be read now; it is tried again."""


class StateMap(Spec):
    """Which values mean which state; a value in none of them is unknown, and so armed.

    Text is compared without regard to case; true and 1, false and 0 are the same.
    """

    running: tuple[Value, ...] = ()
    """Values that mean that the machine runs."""
    idle: tuple[Value, ...] = ()
    """Values that mean that it stands and is safe to approach."""
    setup: tuple[Value, ...] = ()
    """Values that mean that it is being set up."""
    loto: tuple[Value, ...] = ()
    """Values that mean that it is locked out."""

    @model_validator(mode="after")
    def _each_value_once(self) -> Self:
        listed = [plain(value) for name in type(self).model_fields for value in getattr(self, name)]
        if not listed:
            raise PydanticCustomError("feed.no_states", "list at least one value of a state")
        for number, value in enumerate(listed):
            if value in listed[:number]:
                raise PydanticCustomError(
                    "feed.repeated_value",
                    "the value '{value}' stands for two states; list it once",
                    {"value": str(value)[:80]},
                )
        return self

    def state(self, value: object) -> MachineState | None:
        """The state that a value means; None if no line lists it."""
        wanted = plain(value)
        for name in type(self).model_fields:
            if any(plain(listed) == wanted for listed in getattr(self, name)):
                return MachineState(name)
        return None


class FeedBase(Spec):
    """Fields of every feed."""

    id: Slug
    """Identifier, unique among the site's feeds."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """A disabled feed is not read: its machines are unknown, and so armed."""
    stale_after_s: float = Field(default=5.0, ge=0.5, le=3600)
    """Seconds without news after which a machine's state counts as unknown."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        """The machines it reports."""
        return ()

    @property
    def vehicle_ids(self) -> tuple[str, ...]:
        """The vehicles it reports."""
        return ()


class Feed(ABC):
    """One connection to the plant, kept up for ever.

    Args:
        port: Where it reports to.
        clock: Where the time comes from.
    """

    def __init__(self, port: FeedPort, *, clock: Clock) -> None:
        self.port = port
        self.clock = clock

    @abstractmethod
    async def session(self) -> None:
        """Connect and report until the connection ends; ``run`` connects again.

        Raises:
            FeedError: What is wrong, for people.
            OSError, TimeoutError: The other side is not there.
        """

    async def run(self) -> None:
        """Read for ever; ends by cancellation only."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = self.clock.now().monotonic
            error = await self._try()
            self.port.disconnected(error)
            if self.clock.now().monotonic - began > STABLE_S:
                pause_s = FIRST_PAUSE_S
            # Jitter keeps many feeds of one broker from returning in step.
            await self.clock.sleep_async(pause_s * random.uniform(0.75, 1.25))  # noqa: S311
            pause_s = min(LAST_PAUSE_S, pause_s * 2)

    async def _try(self) -> AnjeonError:
        try:
            await self.session()
        except AnjeonError as error:
            return error
        except ssl.SSLError as error:
            return _not_secure(error)
        except (OSError, TimeoutError) as error:
            return _unreachable(error)
        except Exception as error:  # the border of this feed: the others go on
            log.exception("feed_failed", feed=self.port.feed_id)
            self.port.failures += 1
            return _unreachable(error)
        return FeedError("feed.closed", "the other side closed the connection; trying again")


def plain(value: object) -> str | None:
    """A value in the form in which values are compared; None if it can be none."""
    match value:
        case bool():
            return str(int(value))
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                return None
            return str(int(value)) if value.is_integer() else repr(value)
        case str():
            text = value.strip().casefold()
            return {"true": "1", "false": "0"}.get(text, text)
        case _:
            return None


def report_machine(
    port: FeedPort, machine_id: str, states: StateMap, value: object, *, age_s: float = 0.0
) -> None:
    """Report what a machine says; a value that is in no list makes it unknown at once."""
    if plain(value) is None:
        port.refuse("wrong_type", f"{machine_id}: {str(value)[:80]!r} is no text or number")
        return
    state = states.state(value)
    if state is None:
        port.refuse("unknown_value", f"{machine_id}: {str(value)[:80]!r} is in no list of states")
    port.machine(machine_id, state or MachineState.UNKNOWN, str(value)[:80], age_s=age_s)


def check_key(certificate: Path | None, key: Path | None) -> None:
    """Refuse a key without its certificate.

    Raises:
        PydanticCustomError: There is one.
    """
    if key is not None and certificate is None:
        raise PydanticCustomError(
            "feed.key_alone", "a private key needs its certificate; give certificate_file too"
        )


def usable_file(path: Path) -> Path:
    """A file that the settings name.

    Raises:
        FeedError: It cannot be read.
    """
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise unusable_file(path, (error.strerror or "unreadable").lower()) from None


def unusable_file(path: Path, why: str) -> FeedError:
    """A file that the settings name cannot be used."""
    return FeedError(
        "feed.file",
        "the file {file} cannot be used ({why}); check its path, its rights and what is in it",
        file=str(path),
        why=why[:200],
    )


def _not_secure(error: ssl.SSLError) -> FeedError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return FeedError(
            "feed.certificate",
            "the other side's certificate is refused ({why}); give the file of its certificate"
            " authority, and check the certificate's name and dates",
            why=(error.verify_message or str(error))[:200],
        )
    return FeedError(
        "feed.tls",
        "no encrypted connection comes about ({why}); check that this port speaks TLS, and which"
        " certificate it wants of us",
        why=(error.reason or str(error))[:200],
    )


def _unreachable(error: BaseException) -> FeedError:
    why = str(error) or type(error).__name__
    return FeedError(
        "feed.unreachable",
        "it cannot be reached ({why}); check that it runs, its address, port and network",
        why=why[:200],
    )
