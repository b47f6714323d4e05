"""``python -m safety.cli``: as the command ``anjeon``."""

from safety.cli import main

if __name__ == "__main__":
    main()
