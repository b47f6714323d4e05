"""A program that locks a SQLite database until its standard input ends.

Usage: ``python database_holder.py FILE``. Prints ``held`` when it has the lock.
"""

import sqlite3
import sys


def main() -> None:
    """Hold the lock."""
    connection = sqlite3.connect(sys.argv[1], timeout=30)
    connection.execute("BEGIN EXCLUSIVE")
    sys.stdout.write("held\n")
    sys.stdout.flush()
    sys.stdin.read()
    connection.close()


if __name__ == "__main__":
    main()
