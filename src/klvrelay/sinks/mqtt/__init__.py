"""Records and latest values to an MQTT broker.

    sink.py              the sink: begins and ends a connection, delivers batches, publishes latest values
    failover.py          several brokers, of which one is used at a time
    messages.py          the messages of records, latest values and `status`; topics.py: their topics
    batch_messages.py    the messages of a batch; the outcome of its records
    joined_messages.py   the same with several records in a message
    outputs.py           publishes records as outputs; output_messages.py: their messages, pending.py: before the answer
    compression.py       zstd, and its dictionaries
    publisher.py         publishes messages, except to suspended topics
    suspended.py         topics that the broker refuses
    breaking.py          finds the message at which a broker closes each connection
    control.py           tests a suspected message by connections without it; lanes.py: the others do not wait for it
    earlier_runs.py      finds retained topics of earlier runs; retained.py: corrects them
    takeover.py          another client with the same client id
    faults.py            error messages

A connection:

    connection.py        the contract, its values and its exceptions
    connect.py           connects with what the broker supports; dial.py: TCP and TLS
    native/              the implementation on a socket
    flight.py            the oldest message in flight, and senders that wait for room
    session.py           the QoS 2 session, over several connections
    packets.py           size of a PUBLISH; packet_types.py: types and limits of packets
    incoming_publish.py  reads a received PUBLISH; properties.py: its user properties
    received.py          queue of received messages
    aiomqtt/             the implementation with aiomqtt
"""
