"""The command, whose event loop can be blocked from outside: each SIGUSR1 blocks it for BLOCKED seconds.

`blockable_relay.py ARGUMENTS`: those of `klvrelay`.
"""

import signal
import sys
import time

from klvrelay.__main__ import main

BLOCKED = 2.0

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda number, frame: time.sleep(BLOCKED))  # a handler runs in the thread of the loop
    sys.exit(main())
