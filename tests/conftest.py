"""Fixtures that all tests share, each in a module of its own under ``tests/support``."""

pytest_plugins = [
    "tests.support.rtsp",
]
