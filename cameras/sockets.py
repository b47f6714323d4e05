"""Unix sockets that only the user who runs Anjeon can open."""

import os
import socket
from pathlib import Path

from safety.errors import ConfigError

MAX_PATH_BYTES = 107
"""What ``sockaddr_un`` holds on Linux."""

BACKLOG = 64


def listening_socket(path: Path) -> socket.socket:
    """A socket that listens at ``path`` (mode 0600, directory 0700).

    A file left there by a dead process is replaced: whoever calls this holds the lock that
    makes it the only one with this name.

    Raises:
        ConfigError: The path is too long for a socket, or its directory cannot be written.
    """
    check_length(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        listener.bind(os.fspath(path))
        path.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            "config.socket_refused",
            "cannot listen at {path}: {why}; let ANJEON_DATA_DIR name a directory that this "
            "user may write",
            path=str(path),
            why=error.strerror or str(error),
        ) from error
    listener.listen(BACKLOG)
    return listener


def check_length(path: Path) -> None:
    """Refuse a path that no Unix socket can have.

    Raises:
        ConfigError: It is longer than 107 bytes.
    """
    length = len(os.fsencode(path))
    if length > MAX_PATH_BYTES:
        raise ConfigError(
            "config.socket_path_too_long",
            "{path} has {length} bytes, a socket's path may have {limit}; "
            "let ANJEON_DATA_DIR name a directory with a shorter path",
            path=str(path),
            length=length,
            limit=MAX_PATH_BYTES,
        )
