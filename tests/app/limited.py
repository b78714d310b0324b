"""Back a house up where no file may grow beyond a limit, as on a full disk; a program of its own, since that holds
for a whole process.

Usage: limited.py HOME DIRECTORY BYTES
"""

from __future__ import annotations

import resource
import sys

from readingroom.cli.app import main

if __name__ == "__main__":
    home, directory, limit = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    main(["--home", home, "--json", "backup", directory])
