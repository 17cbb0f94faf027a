"""srt://: a line that has what was lost sent again.

    source.py   what comes over it
    line.py     what a URL asks for, and the opening, to read from or (`sending/srt.py`) to send on
    libsrt.py   the system's libsrt
"""
