"""The command ``anjeon``."""


def main() -> None:
    """Entry point of the console script."""
