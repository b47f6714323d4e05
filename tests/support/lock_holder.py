"""A program that does nothing but hold a shard's name: what runners start in tests.

Usage: ``python lock_holder.py SHARD``, settings in the environment. Ends at SIGTERM unless
``LOCK_HOLDER_STUBBORN`` is set. Prints its id when it has the name.
"""

import os
import signal
import sys
import threading

from cameras.shardlock import ShardLock
from safety.config import Settings


def main() -> None:
    """Hold the name until told to stop."""
    stop = threading.Event()
    stubborn = "LOCK_HOLDER_STUBBORN" in os.environ
    signal.signal(signal.SIGTERM, lambda *_: None if stubborn else stop.set())
    ShardLock(Settings(), sys.argv[1]).acquire()
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    stop.wait()


if __name__ == "__main__":
    main()
