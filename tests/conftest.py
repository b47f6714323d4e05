"""Fixtures that all tests share, each in a module of its own under ``tests/support``."""

import os
import sys

from hypothesis import HealthCheck, settings

# Many tests start our programs as processes: compiling all modules anew each time, as some
# machines ask for, takes more of their time than anything they do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes says something about the machine, not about the property.
settings.register_profile(
    "anjeon", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("anjeon")

pytest_plugins = [
    "tests.support.sharing_out",
    "tests.support.fault_matrix",
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
