"""The MQTT connection over the library aiomqtt, which uses paho: for everything that subscribes, and on request for the
sink (`client = "aiomqtt"`).

    connection.py      the implementation of `Connection`
    client.py          aiomqtt's client over a connected socket; all that is private to aiomqtt and paho is here
    checked_socket.py  checks what the broker sends, before paho reads it
    outgoing.py        messages, from publish to acknowledgement

QoS 2 is not offered: paho keeps its state within one client object, and resends messages on its own at a reconnect.
Each connection has a new client object.
"""
