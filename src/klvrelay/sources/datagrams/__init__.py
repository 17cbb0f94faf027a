"""udp:// and rtp://: datagrams, from a socket of our own.

    source.py      opens the socket, and looks after its network
    inbox.py       takes what comes: one call into C a wake-up
    hub.py         all sockets of a loop behind one descriptor
    multicast.py   joins groups
    address.py     hosts and network interfaces, for whoever receives or sends
"""
