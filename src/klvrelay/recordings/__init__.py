"""What a recording is: how to recognise it, how its segments are named, and how it is timed.

    sniff.py           is it MPEG-TS, bare KLV, or a container?
    contents.py        what a file is that is none of these
    segment_names.py   a recorder's segments: their names and their order
    timeline.py        when each byte is due: bare KLV, by item 2
    ts_clock.py        the same of MPEG-TS, by the times in it, or at a rate that is given
    ts_times.py        which of these times: PCR, else PTS, else item 2, else a fixed rate
"""
