"""Records and latest values to an MQTT broker.

    sink.py              the sink: begins and ends a connection, delivers batches, publishes latest values
    messages.py          the messages of records, latest values and `status`; topics.py: their topics
    batch_messages.py    the messages of a batch; the outcome of its records
    publisher.py         publishes messages, except to suspended topics
    suspended.py         topics that the broker refuses
    breaking.py          finds the message at which a broker closes each connection
    earlier_runs.py      finds retained topics of earlier runs; retained.py: corrects them
    takeover.py          another client with the same client id
    faults.py            error messages

A connection:

    connection.py        the contract, its values and its exceptions
    connect.py           connects with what the broker supports; dial.py: TCP and TLS
    paho_connection.py   the implementation with paho; paho_client.py: sets up paho
    pump.py              bytes between the socket and paho
    outgoing.py          messages, from publish to acknowledgement
    inflight.py          maximum number of messages in flight, and their time-out
    session.py           the QoS 2 session, over several connections
    packets.py           size of a PUBLISH
    subscriptions.py     subscriptions
    incoming.py          checks received packets; incoming_publish.py, properties.py: read a PUBLISH
    received.py          queue of received messages
    aiomqtt/             the implementation with aiomqtt
"""
