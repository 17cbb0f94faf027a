"""Recordings: content detection, segments and timing.

    sniff.py          MPEG-TS, bare KLV or a container    ts_times.py       times in MPEG-TS, and which one to use
    contents.py       names of other content              ts_clock.py       MPEG-TS in timed slices
    segment_names.py  segments in a folder                timeline.py       bare KLV in timed slices
    segmenter.py      decides where segments end          limits.py         limits of sizes and ages
    segment_store.py  writes, names, completes and removes segments
"""
