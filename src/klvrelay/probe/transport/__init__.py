"""Measurements of the MPEG transport stream.

    survey.py     counts all packets          framer.py     splits bytes into TS packets
    pids.py       counters per PID            tables.py     PAT and PMT
    pes.py        PES headers, AU cells       carriage.py   how KLV is carried
    pcr.py        the stream clock            frames.py     time stamps inside the video
    pending.py    blocks awaiting a PCR       codes.py      names of stream types and descriptors
    videos.py     frames of each video        lengths.py    PES_packet_length against the bytes received
    pmt_stream.py a stream in a PMT
"""
