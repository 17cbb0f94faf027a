"""`python -m klvrelay` is the command `klvrelay`."""

import sys

from klvrelay.cli import main

sys.exit(main())
