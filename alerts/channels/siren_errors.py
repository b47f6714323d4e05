"""The failures that sirens of all kinds share, in the same words."""

from safety.errors import ChannelError, ChannelRefused


def unreachable(device: str, problem: str) -> ChannelError:
    """No connection, or it broke."""
    return ChannelError(
        "channel.device_unreachable",
        "the device {device} cannot be reached ({problem}); check its power, network and address",
        device=device,
        problem=problem,
    )


def no_answer(device: str, seconds: float) -> ChannelError:
    """It took the command and said nothing."""
    return ChannelError(
        "channel.device_silent",
        "the device {device} did not answer within {seconds:g} s; check its network and port",
        device=device,
        seconds=seconds,
    )


def refused(device: str, answer: str) -> ChannelError:
    """It understood that it was commanded, and said no."""
    return ChannelError(
        "channel.device_refused",
        "the device {device} refused the command ({answer}); check its model and operating mode",
        device=device,
        answer=answer,
    )


def not_understood(device: str, answer: str) -> ChannelError:
    """Something else answers there."""
    return ChannelError(
        "channel.device_answer",
        "the device {device} answered something unexpected ({answer}); "
        "check its address, port and protocol",
        device=device,
        answer=answer,
    )


def wrong_credentials(device: str) -> ChannelRefused:
    """It does not know us."""
    return ChannelRefused(
        "channel.device_credentials",
        "the device {device} did not accept the user name and password; check both, and that "
        "this user may command it",
        device=device,
    )
