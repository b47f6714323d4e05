"""One question and one answer over a TCP connection of their own."""

import asyncio
from contextlib import suppress

from alerts.channels.siren_errors import no_answer, not_understood, unreachable

CONNECT_S = 1.5
ANSWER_S = 1.5


async def exchange(host: str, port: int, request: bytes, *, size: int) -> bytes:
    """Send ``request`` and take the first ``size`` bytes that come back.

    A connection per command: a device that was restarted is reached again at once, and a
    command that is given up leaves nothing behind.

    Raises:
        ChannelError: No connection, no answer in time, or a shorter one.
    """
    device = f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        raise unreachable(device, "no answer to the connection") from None
    except OSError as error:
        raise unreachable(device, error.strerror or type(error).__name__) from None
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(request)
            await writer.drain()
            return await reader.readexactly(size)
    except TimeoutError:
        raise no_answer(device, ANSWER_S) from None
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise not_understood(device, error.partial.hex(" ")) from None
        raise unreachable(device, "it closed the connection") from None
    except OSError as error:
        raise unreachable(device, error.strerror or type(error).__name__) from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def reach(host: str, port: int) -> str:
    """Make sure that somebody listens there.

    Raises:
        ChannelError: Nobody does.
    """
    device = f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        raise unreachable(device, "no answer to the connection") from None
    except OSError as error:
        raise unreachable(device, error.strerror or type(error).__name__) from None
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return "connected"
