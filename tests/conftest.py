"""Fixtures that all tests share, each in a module of its own under ``tests/support``."""

pytest_plugins = [
    "tests.support.mosquitto",
    "tests.support.rtsp",
    "tests.support.web",
    "tests.support.webhook_receiver",
]
