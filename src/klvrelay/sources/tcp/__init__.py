"""tcp://: bytes over one connection.

    source.py   what comes over it
    line.py     what a URL asks for, and the opening, to read from or (`sending/tcp.py`) to send on
"""
