"""What libav (PyAV) reads, each in a thread of its own; `../bridge.py` is the way out of it.

    source.py     rtsp://, rtsps://, and containers that are no MPEG-TS
    demuxer.py    how libav is opened, and its faults in our words; `stamps.py` opens files by it too
    boxes.py      whether an mp4 has its index
    gateway.py    what stands between libav and an RTSP server; sdp.py, rtsp_wire.py: what passes through it;
                  guest.py: which connection is libav's
    rfc6597.py    KLV that is an RTP track of its own
    of_bytes.py   the MPEG-TS of any other source, taken apart by libav instead of the C core
"""
