"""udp:// and rtp://: datagrams from a UDP socket.

source.py      opens the socket and checks its network
reader.py      receives datagrams with one call into C per wake-up
schedule.py    decides when all sockets of an event loop are read
multicast.py   joins multicast groups
"""
