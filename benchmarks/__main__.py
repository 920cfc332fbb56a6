"""``python -m benchmarks`` in a checkout, where this folder is a package of its own."""

import sys

from tilegrad.benchmarks.cli import main

if __name__ == "__main__":
    sys.exit(main())
