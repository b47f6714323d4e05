"""How tests are shared out among processes (``pytest -n``): by file, the long ones one by one."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ONE_BY_ONE = ("tests/faults/", "tests/scenarios/test_main_job", "tests/scenarios/test_shard.py")
"""Every test here starts processes of its own and shares nothing with its neighbours. They come
last, when each process takes the next one as soon as it is free, so that all end together."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # its package has no types
    """Keeps a file's tests, and what its fixtures made for all of them, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(ONE_BY_ONE) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """Ours unless the command line asks for another one."""
    return ByFile(config, log) if config.getoption("dist") == "load" else None
