"""The relay: streams, delivery to sinks, and the supervisor that keeps them running.

    build.py       a relay from its settings
    relay.py       the pipeline: its tasks, its silence and its sums
    stream.py      one source: opened, decoded, opened again; feed.py says how, patience.py when to give up
    sink_task.py   one sink: delivery.py sends batches, halving.py finds the record that is to blame
    channel.py     what one stream reports: state.py, its latest values
    notices.py     latest values that wait for sinks
    supervise.py   runs a task again and again
"""
