"""udp:// and rtp://: datagrams, from a socket of our own.

    source.py      opens the socket, and looks after its network
    reader.py      takes what comes: one call into C a wake-up
    schedule.py    all sockets of a loop behind one descriptor
    multicast.py   joins groups
"""
