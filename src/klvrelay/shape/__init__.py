"""What sinks publish of records, and how it is read again: values and pure functions, without input or output.

    output.py          an output: what a sink publishes of its records, and how
    presets.py         the usual outputs
    items.py           which items an output has
    marking.py         which markings it may have
    rates.py           how often it publishes
    shaper.py          the payloads of all outputs of a sink, record by record
    shaped_output.py   those of one output
    contents.py        of records, of items, or of the latest values
    payload.py         what an output publishes
    state.py           the latest value of each item, merged
    home_assistant.py  the items that Home Assistant shows

    encoding/          payloads in each format, compressed or not
    budget/            the budget of an uplink, and how outputs are reduced until they fit
    restoring/         what a subscriber uses: full records of payloads of any format
"""
