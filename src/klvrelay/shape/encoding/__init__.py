"""Payloads in each format, compressed or not.

    formats.py        makes payloads and messages of each format; cbor_parts.py: continues a compact record
    content_types.py  the formats, their content types, and how a payload without one is recognised
    compression.py    zstd; dictionary.py: a dictionary trained from the first payloads of a stream
"""
