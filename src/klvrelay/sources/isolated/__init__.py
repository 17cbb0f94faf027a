"""Any source in a process of its own: one that hangs, floods or crashes hurts no other.

    source.py    the source as the relay has it
    process.py   starts the process, listens to it, and ends it
    cell.py      what runs there: `python -m klvrelay.sources.isolated.cell`
    parcel.py    what goes between
    stderr.py    what it says on the side
"""
