"""TCP and TLS connections to the far ends of sinks, and why there is none.

    dial.py    connects                        reachable.py    what is needed for that
    link.py    reads and writes a socket       exchange.py     requests and answers on a link
    faults.py  causes and remedies
"""
