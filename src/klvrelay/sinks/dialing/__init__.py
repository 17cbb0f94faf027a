"""TCP and TLS connections to the far ends of sinks, and why there is none; datagrams.

    dial.py    connects                        reachable.py        what is needed for that
    faults.py  causes and remedies             acknowledgement.py  waits until the peer has all bytes
    link.py    the socket of a connection      datagram_socket.py  sends datagrams
"""
