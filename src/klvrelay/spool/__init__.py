"""The log of records that wait for sinks, with one cursor per sink.

    contract.py     the contract of a log and of its cursors
    memory.py       the log in memory; disk/: the log on disk; base.py: what they have in common
    cursor.py       what one sink has yet to deliver: batches in flight, limits
      waiting.py      the waiting records; queue.py: those of one stream
      offered.py      the batches in flight
      shares.py       how streams share the limits
      turns.py        callers that wait for a batch
    flows.py        live records and backlogs of one sink, in any log; memory_flows.py: in memory
    age.py          sheds records that are too old
"""
