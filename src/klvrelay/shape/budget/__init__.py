"""The budget of an uplink: what is sent first, how much, and what is left out.

    budget.py     costs on the wire, and when the next message may be sent
    window.py     how much may be unanswered, so that no queue grows in the network
    classes.py    what waits for the budget, in strict order of its class
    ladder.py     the steps by which outputs are reduced until they fit
    reduction.py  what each step leaves of the outputs
"""
