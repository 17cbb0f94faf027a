"""Records and latest values to an MQTT broker.

    sink.py             the sink: begins and ends a connection, delivers batches
    failover.py         several brokers, of which one is used at a time
    batch_messages.py   the messages of a batch; the outcome of its records
    joined_messages.py  the same with several records in a message
    messages.py         the messages of records, latest values and `status`; topics.py: their topics
    takeover.py         client ids, and another client with the same one
    faults.py           error messages

    outputs/            records as outputs, and changes of outputs by subscribers
    budget/             the same within the budget of an uplink
    values/             latest values, `status`, discovery; retained topics of earlier runs
    refused/            publishes messages, except to topics that the broker refuses

    protocol/           a connection: its contract, and what both implementations share
    native/             the implementation on a socket
    aiomqtt/            the implementation with aiomqtt
"""
