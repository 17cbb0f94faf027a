"""The KLV elementary streams of a source: each PID with KLV is one.

    assignment.py   assigns records to them     elementary_stream.py   one of them
"""
