"""TCP and TLS connections to the far ends of sinks, and why there is none.

    dial.py     connects                           reachable.py  what is needed for that
    stream.py   a connection for a library         faults.py     causes and remedies
    version.py  the version of a server
"""
