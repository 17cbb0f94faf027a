"""What a subscriber uses: full records of payloads of any format.

    restore.py          payloads to full documents
    payload_records.py  the full records of one payload, for `klvrelay.decode`
    known.py            what a reader knows of each stream, within limits
    documents.py        reads JSON, CBOR and MessagePack, and continues partial documents
    compact.py          reads the compact format; cbor.py: reads CBOR
    local_set.py        the items of a local set, and a packet of items
"""
