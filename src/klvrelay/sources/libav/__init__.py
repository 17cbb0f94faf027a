"""What libav (PyAV) reads, each in a thread of its own; `../bridge.py` is the way out of it.

    source.py     rtsp://, rtsps://, http://, https://, and containers that are no MPEG-TS
    demuxer.py    how libav is opened, and its faults in our words; `stamps.py` opens files by it too
    given.py      what a live playlist has given already
    rfc6597.py    KLV that is an RTP track of its own
    of_bytes.py   the MPEG-TS of any other source, taken apart by libav instead of the C core
"""
