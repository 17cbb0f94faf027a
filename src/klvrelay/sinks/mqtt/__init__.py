"""Records and latest values to an MQTT broker.

    sink.py              the sink: begins and ends a connection, delivers batches
    published_values.py  publishes latest values and `status`
    failover.py          several brokers, of which one is used at a time
    messages.py          the messages of records, latest values and `status`; topics.py: their topics
    batch_messages.py    the messages of a batch; the outcome of its records
    joined_messages.py   the same with several records in a message
    outputs.py           publishes records as outputs; output_messages.py: their messages, pending.py: before the answer
    budget_outputs.py    the same with a budget; budget_values.py: latest values;
                         later.py: what was left out, left_out.py
    uplink.py            sends what waits within the budget
    compression.py       zstd, and its dictionaries
    live_changes.py      changes of outputs by subscribers; change_requests.py: reads and applies them
    publisher.py         publishes messages, except to suspended topics
    suspended.py         topics that the broker refuses
    breaking.py          finds the message at which a broker closes each connection
    control.py           tests a suspected message by connections without it; lanes.py: the others do not wait for it
    home_assistant.py    announces streams to Home Assistant
    earlier_runs.py      finds retained topics of earlier runs; retained.py: corrects them
    takeover.py          client ids, and another client with the same one
    faults.py            error messages

A connection:

    connection.py        the contract, its values and its exceptions
    connect.py           connects with what the broker supports; dial.py: TCP and TLS
    native/              the implementation on a socket
    aiomqtt/             the implementation with aiomqtt
    base_connection.py   what both implementations share; handshake.py: the answer to CONNECT
    inflight.py          messages in flight: answers, maximum number, time-out
    session.py           the QoS 2 session, over several connections
    packets.py           size of a PUBLISH; packet_types.py: types and limits of packets
    incoming_header.py   checks the header of a received packet
    incoming_publish.py  reads a received PUBLISH; properties.py: its user properties
    subscriptions.py     which received messages are wanted; received.py: their queue
"""
