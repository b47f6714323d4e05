"""A private Mosquitto on a free port, which can be stopped, frozen and started again."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.support.certificates import Certificate, self_signed
from tests.support.ports import free_port
from tests.support.requirements import need

_START_S = 10.0


class Mosquitto:
    """One broker process.

    Attributes:
        host, port: Where it listens.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        directory: Path,
        *,
        users: dict[str, str] | None = None,
        certificate: Certificate | None = None,
        clients: Certificate | None = None,
    ) -> None:
        self.port = free_port()
        self._config = directory / f"mosquitto-{self.port}.conf"
        self._log = directory / f"mosquitto-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"listener {self.port} {self.host}",
            "persistence false",
            f"log_dest file {self._log}",
            "log_type all",
        ]
        if certificate is not None:
            lines += [f"certfile {certificate.certificate}", f"keyfile {certificate.key}"]
        if clients is not None:  # whoever comes has to show this certificate
            lines += [f"cafile {clients.certificate}", "require_certificate true"]
        if users is None:
            lines.append("allow_anonymous true")
        else:
            lines += ["allow_anonymous false", f"password_file {_passwords(directory, users)}"]
            acl = directory / "acl"
            # The first user may do anything below anjeon/, the others may only read there.
            first, *others = users
            rules = [f"user {first}", "topic readwrite anjeon/#"]
            for other in others:
                rules += [f"user {other}", "topic read anjeon/#"]
            acl.write_text("\n".join(rules) + "\n")
            lines.append(f"acl_file {acl}")
        if os.geteuid() == 0:
            # It would otherwise change to a user who may not read pytest's directories.
            lines.append("user root")
        self._config.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_S
        while True:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            except OSError:
                log = self._log.read_text() if self._log.exists() else "(no log)"
                assert self._process.poll() is None, log
                assert time.monotonic() < deadline, log
                time.sleep(0.02)

    def stop(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Its connections stay open, but it answers nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after ``freeze``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _passwords(directory: Path, users: dict[str, str]) -> Path:
    file = directory / "passwords"
    file.write_text("".join(f"{user}:{password}\n" for user, password in users.items()))
    file.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True)
    return file


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker that lets anybody in."""
    need("mosquitto")
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def guarded_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker with the users ``anjeon`` (all rights) and ``reader`` (reads only)."""
    need("mosquitto")
    broker = Mosquitto(tmp_path, users={"anjeon": "right-password", "reader": "reader-password"})
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def encrypted_mosquitto(tmp_path: Path) -> Iterator[tuple[Mosquitto, Certificate]]:
    """A running broker that speaks TLS, and the certificate to trust."""
    need("mosquitto")
    certificate = self_signed(tmp_path)
    broker = Mosquitto(tmp_path, certificate=certificate)
    broker.start()
    yield broker, certificate
    broker.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message that a subscriber got."""

    topic: str
    body: dict[str, Any]
    retained: bool
    qos: int
    at: float


@asynccontextmanager
async def listening(
    broker: Mosquitto, topic: str, *, username: str | None = None, password: str | None = None
) -> AsyncIterator[list[Heard]]:
    """Subscribe, and collect what arrives into the list that this gives; JSON only."""
    heard: list[Heard] = []
    client = aiomqtt.Client(broker.host, broker.port, username=username, password=password)
    async with client:
        await client.subscribe(topic, qos=1)

        async def collect() -> None:
            async for message in client.messages:
                heard.append(
                    Heard(
                        topic=str(message.topic),
                        body=json.loads(bytes(message.payload)),
                        retained=message.retain,
                        qos=message.qos,
                        at=time.monotonic(),
                    )
                )

        task = asyncio.create_task(collect())
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
