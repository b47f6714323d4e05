"""Modbus TCP for sirens: a connection per command, failures in the sirens' own words."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from alerts.channels.siren_errors import no_answer, refused, unreachable

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.pdu import ModbusPDU

TIMEOUT_S = 1.5


@asynccontextmanager
async def modbus(host: str, port: int) -> AsyncIterator["AsyncModbusTcpClient"]:
    """A connected client.

    Raises:
        ChannelError: No connection, or (from inside the block) no answer.
    """
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.exceptions import ModbusException

    # What it would log, we report already, once.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    device = f"{host}:{port}"
    client = AsyncModbusTcpClient(host, port=port, timeout=TIMEOUT_S, retries=0, reconnect_delay=0)
    try:
        async with asyncio.timeout(TIMEOUT_S * 2):
            if not await client.connect():
                raise unreachable(device, "no connection")
            yield client
    except (ModbusException, TimeoutError):
        raise no_answer(device, TIMEOUT_S) from None
    except OSError as error:
        raise unreachable(device, error.strerror or type(error).__name__) from None
    finally:
        client.close()


def require_done(device: str, answer: "ModbusPDU") -> None:
    """Whether the device did what it was told.

    Raises:
        ChannelError: It answered with an exception.
    """
    if answer.isError():
        raise refused(device, f"Modbus exception {getattr(answer, 'exception_code', '?')}")
