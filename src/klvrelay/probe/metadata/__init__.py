"""Statistics of the KLV records.

    telemetry.py  tally per set and PID      items.py    tally per item
    clocks.py     clock comparison           series.py   unbounded series in bounded memory
    sampler.py    records to inspect        implausible.py  records that cannot be true
"""
