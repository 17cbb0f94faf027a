"""The relay: streams, delivery to sinks, and the supervisor that keeps them running.

    build.py        a relay from its settings, and runs it; disk_spool.py opens and closes its spool
    settings_checks.py   checks of settings that need files, folders or libraries
    relay.py        starts, changes and stops the tasks of the pipeline (running.py, tasks.py)
        summary.py    the counts of a run
    observation.py  what observes streams and sinks on the event loop: the board, the heartbeat, checks, reports
        tick.py       the checks at intervals; turns.py spreads them over time
        health_report.py   publishes the health of the relay
    observers.py    what runs beside the relay and observes it: the ledger of incidents, the alerts
    reload.py       applies changed settings to a running relay, as a change.py
    stream.py       one source (stream_input.py): its packets become records in the log
        opening.py    one opening of the source; reopen_policy.py decides when to reopen it
        channels.py   its KLV streams; channel.py publishes the health and the latest values of one
        source_recording.py   writes the bytes of the source to disk meanwhile
        totals.py     the counts of all openings; oversize.py logs packets that are too large
    sink_task.py    one sink (sink_input.py)
        delivery.py   delivers batches from the log; halving.py finds a record that breaks every connection, unless the
                      sink does
    withheld.py     logs the first record of a stream that an output withholds
    notices.py      the latest values that sinks have yet to publish
    supervise.py    runs a task repeatedly, and contains its faults
    readiness.py    whether the relay is ready
    stuck.py        which parts make no progress, for a watchdog
"""
