"""A connection on a socket in the event loop, for MQTT 5 and 3.1.1.

    connection.py        the connection: its calls, the broker's packets, its end
    link.py              the socket: reading, and writing with bounded memory
    limits.py            the limits of the broker
    pings.py             pings of an idle connection, and for `flush`

    outgoing.py          messages, from publish to acknowledgement
    encode_publish.py    PUBLISH packets; aliases.py: topic aliases
    encode.py            the other packets

    incoming.py          splits and checks received packets
    decode.py            the broker's answers
    subscription_requests.py  SUBSCRIBE, UNSUBSCRIBE and their answers
"""
