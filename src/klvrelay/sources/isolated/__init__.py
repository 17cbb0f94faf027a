"""Run a source in a separate process: if it hangs, floods or crashes, other streams are not affected.

source.py            the source as seen by the relay
checked_status.py    checks what the process reports about its source
process.py           starts the process, reads from it, and ends it
stderr.py            logs its standard error
messages.py          the messages from process to relay; pack.py, unpack.py
limits.py            limits on memory and message sizes

child.py             runs in the process: `python -m klvrelay.sources.isolated.child`
position_reports.py  reports how far a playlist was read
confine.py           drops privileges, with landlock.py, seccomp.py and prctl.py
"""
