"""Fixtures that all tests share, each in a module of its own under ``tests/support``."""

pytest_plugins = [
    "tests.support.database",
    "tests.support.mosquitto",
    "tests.support.plant",
    "tests.support.postgres",
    "tests.support.rtsp",
    "tests.support.shards",
    "tests.support.web",
    "tests.support.browser",
    "tests.support.webhook_receiver",
]
