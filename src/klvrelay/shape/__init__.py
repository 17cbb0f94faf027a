"""What a sink publishes of its records, and how it is read again. Pure: no input or output, no clock.

    content_types.py   the formats of payloads, their content types, and how they are recognised
    restore.py         payloads of any format to full documents
    payload_records.py the full records of one payload, for `klvrelay.decode`
    known.py           what a reader knows of each stream, within limits
    documents.py       reads JSON, CBOR and MessagePack, and continues partial documents
    compact.py         reads the compact format; cbor.py: reads CBOR
    local_set.py       the items of a local set, and a packet of items
    compression.py     zstd; dictionary.py: a dictionary trained from the first payloads of a stream
"""
