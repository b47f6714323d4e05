"""A service on loopback that brings messages to people, as far as it can."""

import json
from dataclasses import dataclass, field

from tests.support.http_service import MISBEHAVIOUR, Answer, Asked, HttpService, Mode

__all__ = ["MISBEHAVIOUR", "Asked", "Message", "MessengerService", "Mode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a person, room or program got."""

    to: str
    text: str
    fallback: str = ""


@dataclass(kw_only=True)
class MessengerService(HttpService):
    """The server; subclasses say what their API answers.

    Attributes:
        messages: What people got.
        refuses: Targets that are answered with status 500.
    """

    messages: list[Message] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> tuple[int, object]:
        """Status and JSON for one request."""
        raise NotImplementedError

    def well(self, asked: Asked) -> Answer:
        status, content = self.answer(asked)
        return status, {}, json.dumps(content).encode()

    def deliver(self, to: str, text: str, fallback: str = "") -> bool:
        """Put a message into somebody's inbox; False for those that the test made unreachable."""
        if to in self.refuses:
            return False
        self.messages.append(Message(to=to, text=text, fallback=fallback))
        return True
