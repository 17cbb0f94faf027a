"""The records as the probe sees them; next door, `transport/` has the stream that carries them.

    telemetry.py  a tally of each set and PID      items.py    of each item
    clocks.py     clocks against each other        series.py   endless numbers in bounded memory
"""
