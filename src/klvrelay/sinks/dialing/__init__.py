"""TCP and TLS connections to the far ends of sinks, and why there is none.

    dial.py    connects         reachable.py    what is needed for that         faults.py   causes and remedies
"""
