"""What sinks publish of records, and how it is read again: values and pure functions, without input or output.

    output.py    an output: what a sink publishes of its records, and how
    presets.py   the usual outputs
    items.py     which items an output has
    marking.py   which markings it may have
    rates.py     how often it publishes
    shaper.py    the payloads of all outputs of a sink, record by record
        shaped_output.py   those of one output
        contents.py        of records, of items, or of the latest values
    payload.py   what an output publishes
    formats.py   makes payloads of each format
    state.py     the latest value of each item, merged
    home_assistant.py  those that Home Assistant shows

    budget.py    the budget of an uplink: costs on the wire, and when the next message may be sent
    classes.py   what waits for the budget, in strict order of its class
    ladder.py    the steps by which outputs are reduced until they fit
    window.py    how much may be unanswered, so that no queue grows in the network
    reduction.py what each step leaves of the outputs

    content_types.py   the formats of payloads, their content types, and how they are recognised
    restore.py         payloads of any format to full documents
    payload_records.py the full records of one payload, for `klvrelay.decode`
    known.py           what a reader knows of each stream, within limits
    documents.py       reads JSON, CBOR and MessagePack, and continues partial documents
    compact.py         reads the compact format; cbor.py: reads CBOR, cbor_parts.py: changes its parts
    local_set.py       the items of a local set, and a packet of items
    compression.py     zstd; dictionary.py: a dictionary trained from the first payloads of a stream
"""
