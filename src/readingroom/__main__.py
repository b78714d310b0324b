"""`python -m readingroom` and the `readingroom` program."""

from __future__ import annotations

from readingroom.cli.app import main

if __name__ == "__main__":
    main()
