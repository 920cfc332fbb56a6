"""``python -m tilegrad`` is the command ``tilegrad``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
