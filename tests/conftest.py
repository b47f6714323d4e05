"""Fixtures that all tests share, each in a module of its own under ``tests/support``."""

pytest_plugins = [
    "tests.support.postgres",  # before those that import it, or its asserts stay plain
    "tests.support.database",
    "tests.support.mosquitto",
    "tests.support.plant",
    "tests.support.rtsp",
    "tests.support.shards",
    "tests.support.small_disk",
    "tests.support.web",
    "tests.support.browser",
    "tests.support.webhook_receiver",
]
