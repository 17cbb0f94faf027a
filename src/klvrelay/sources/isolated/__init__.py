"""Any source in a process of its own: one that hangs, floods or crashes hurts no other.

    source.py      the source as the relay has it
    claims.py      what is believed of what the process says
    process.py     starts the process, listens to it, and ends it
    stderr.py      what it says on the side
    parcel.py      what goes between
    limits.py      how much it may use and send

    cell.py        what runs there: `python -m klvrelay.sources.isolated.child`
    bookmarks.py   how far it has read a playlist
    confine.py     what it may still do: landlock.py, seccomp.py
"""
