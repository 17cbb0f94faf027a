"""The transport stream as the probe sees it; next door, `metadata/` has the records that it carries.

    survey.py     every packet, counted       framer.py     bytes to TS packets
    pids.py       counters of all PIDs        tables.py     PAT, PMT; codes.py: what their numbers mean
    pes.py        PES heads, AU cells         carriage.py   how KLV is carried
    pcr.py        the stream's clock          frames.py     times inside the video
    held.py       what waits for the next PCR
"""
