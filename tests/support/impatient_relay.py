"""The command with shorter waits: the pauses between two connections to a broker, since a thousand of them take
minutes, and the time for which a step of a clock must last.

`impatient_relay.py ARGUMENTS`: those of `klvrelay`.
"""

import sys

from klvrelay.__main__ import main
from klvrelay.health import clocks
from klvrelay.relay import sink_task

sink_task.LONGEST = 0.2
clocks.HELD = 0.2

if __name__ == "__main__":
    sys.exit(main())
