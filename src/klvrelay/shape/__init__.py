"""What sinks publish of records: values and pure functions, without input or output.

    output.py    an output: what a sink publishes of its records, and how
    presets.py   the usual outputs
    items.py     which items an output has
    marking.py   which markings it may have
    rates.py     how often it publishes
    shaper.py    the payloads of all outputs of a sink, record by record
        shaped_output.py   those of one output
        contents.py        of records, of items, or of the latest values
    payload.py   what an output publishes
    formats.py   the forms of payloads
    state.py     the latest value of each item, merged
    budget.py    the budget of an uplink: costs on the wire, and when the next message may be sent
    classes.py   what waits for the budget, in strict order of its class
    ladder.py    the steps by which outputs are reduced until they fit
"""
