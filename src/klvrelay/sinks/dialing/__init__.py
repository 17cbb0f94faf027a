"""TCP and TLS connections to the far ends of sinks, and why there is none; datagrams.

    dial.py     connects                       reachable.py        what is needed for that
    link.py     reads and writes a socket      acknowledgement.py  waits until the peer has all bytes
    stream.py   a connection for a library     datagram_socket.py  sends datagrams
    faults.py   causes and remedies            version.py          the version of a server
"""
