"""What a sink publishes of its records, without input or output.

    budget.py    the budget of an uplink: costs on the wire, and when the next message may be sent
    classes.py   what waits for the budget, in strict order of its class
    ladder.py    the steps by which outputs are reduced until they fit
"""
