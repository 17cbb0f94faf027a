"""How fast klvrelay is, beside its peers on the same packets in the same run: `python -m benchmarks [NAME...]`.

Outside the house: nothing of the product imports this. `decode.py`, `demux.py`, `latency.py` and `streams.py` are
the benchmarks, the others what they share.
"""
