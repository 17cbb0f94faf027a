"""The log of records that wait for sinks, with one cursor per sink.

    contract.py     the contract of a log and of its cursors
    memory.py       the log in memory; disk/: the log on disk
    cursor.py       what one sink has yet to deliver: batches in flight, limits
      queue.py        the waiting records of one stream
      turns.py        callers that wait for a batch
    live_first.py   `order = "live-first"` on any log; memory_live_first.py: in memory
    age.py          sheds records that are too old
"""
