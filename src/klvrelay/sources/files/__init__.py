"""Files, folders of segments and standard input; next door, `straight.py` reads them for somebody in a hurry.

    file.py      as fast as the reader takes it
    at_once.py   the same of a regular file, without a loop
    growing.py   one that is still written
    replay.py    in its own time; pace.py, ts_clock.py, ts_times.py: when each byte is due
    folder.py    a recorder's segments: their names and their order
"""
