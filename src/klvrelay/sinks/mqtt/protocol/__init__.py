"""A connection to an MQTT broker: its contract, and what both implementations share.

    connection.py        the contract, its values and its exceptions
    connect.py           connects with what the broker supports
    base_connection.py   what both implementations share; handshake.py: the answer to CONNECT
    inflight.py          messages in flight: answers, maximum number, time-out
    session.py           the QoS 2 session, over several connections
    packets.py           size of a PUBLISH; packet_types.py: types and limits of packets
    incoming_header.py   checks the header of a received packet
    incoming_publish.py  reads a received PUBLISH; properties.py: its user properties
    subscriptions.py     which received messages are wanted; received.py: their queue
"""
