"""The command with short pauses between two connections to a broker: a thousand of them take minutes.

`impatient_relay.py ARGUMENTS`: those of `klvrelay`.
"""

import sys

from klvrelay.__main__ import main
from klvrelay.relay import sink_task

sink_task.LONGEST = 0.2

if __name__ == "__main__":
    sys.exit(main())
