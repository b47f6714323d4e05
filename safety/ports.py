"""TCP ports that our own servers listen on."""

import socket

from safety.errors import ConfigError


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """A listening socket.

    Args:
        host: Name or address of this machine to listen on.
        port: 0 picks a free one.
        setting: The environment variable that decides the port, for the message.

    Raises:
        ConfigError: The address is not this machine's, or somebody listens there already.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise _no_address(host) from error
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except PermissionError as error:
        raise ConfigError(
            "port.forbidden",
            "this user may not listen on port {port}; set {setting} to one above 1023",
            port=port,
            setting=setting,
        ) from error
    except OSError as error:
        if not _is_taken(host, port, family):
            raise _no_address(host) from error
        raise ConfigError(
            "port.taken",
            "another program already listens on {host} port {port}; stop it, or set {setting} to"
            " a free port",
            host=host,
            port=port,
            setting=setting,
        ) from error


def _is_taken(host: str, port: int, family: int) -> bool:
    """Whether it is the port that is the obstacle, not the address."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return port != 0


def _no_address(host: str) -> ConfigError:
    return ConfigError(
        "port.address",
        "'{host}' is no address of this machine; set ANJEON_HOST to 127.0.0.1, or to 0.0.0.0 for"
        " all its networks",
        host=host,
    )
