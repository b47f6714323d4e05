"""The base of all messages."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

PROTOCOL: Literal[1] = 1
"""Version of the messages; both sides must have the same."""


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: Literal[1] = PROTOCOL
