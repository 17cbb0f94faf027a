"""Files, folders of segments and standard input.

    file.py      as fast as the reader takes it
    at_once.py   the same of a regular file, without a loop
    growing.py   one that is still written
    written.py   what is new in it, and where it begins again
    replay.py    in its own time
"""
