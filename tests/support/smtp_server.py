"""A small mail server on loopback: takes what a client sends and keeps it as messages."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

USER, PASSWORD = "anjeon", "a mail password"


@dataclass(slots=True)
class MailServer:
    """What arrived, and where it listens."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)


class _Conversation(socketserver.StreamRequestHandler):
    """RFC 5321, as far as a client needs it, with AUTH PLAIN and LOGIN (RFC 4954)."""

    keeps: MailServer

    def handle(self) -> None:
        self._say("220 mail.example ESMTP")
        signed_in = False
        for raw in self.rfile:
            words = raw.decode().strip().split(" ")
            match words[0].upper():
                case "EHLO":
                    self._say("250-mail.example", "250-AUTH PLAIN LOGIN", "250 8BITMIME")
                case "AUTH":
                    signed_in = self._sign_in(words)
                    self._say("235 ok" if signed_in else "535 wrong")
                case "RCPT" if signed_in:
                    self.keeps.receivers.append(words[1].partition("<")[2].rstrip(">"))
                    self._say("250 ok")
                case "DATA" if signed_in:
                    self._say("354 go on")
                    self._take()
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case "MAIL" if signed_in:
                    self._say("250 ok")
                case "MAIL" | "RCPT" | "DATA":
                    self._say("530 sign in first")
                case _:
                    self._say("250 ok")

    def _sign_in(self, words: list[str]) -> bool:
        if words[1].upper() == "PLAIN":
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
        else:
            user = self._asked("Username:") if len(words) < 3 else _plain(words[2])
            password = self._asked("Password:")
        return (user, password) == (USER, PASSWORD)

    def _asked(self, what: str) -> str:
        self._say(f"334 {base64.b64encode(what.encode()).decode()}")
        return _plain(self.rfile.readline().decode().strip())

    def _take(self) -> None:
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw[1:] if raw.startswith(b"..") else raw)
        message = message_from_bytes(b"".join(lines), policy=default)
        self.keeps.messages.append(message)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def _plain(text: str) -> str:
    return base64.b64decode(text).decode()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server that knows ``USER``."""
    server = MailServer()
    conversation = type("Conversation", (_Conversation,), {"keeps": server})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), conversation) as listening:
        listening.daemon_threads = True
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
