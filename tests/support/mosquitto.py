"""A private Mosquitto on a free port, which can be stopped, frozen and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.requirements import need

_START_S = 10.0


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """One broker process.

    Attributes:
        host, port: Where it listens.
    """

    host = "127.0.0.1"

    def __init__(self, directory: Path, *, users: dict[str, str] | None = None) -> None:
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
