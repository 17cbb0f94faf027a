"""Outputs within the budget of an uplink.

    uplink.py          sends what waits within the budget
    unsent.py          what waits; caution.py: which of it may be sent while a message is sought that ends connections
    budget_outputs.py  publishes records as outputs that wait for the budget
    urgencies.py       the classes of outputs
    budget_values.py   latest values that wait for it, and `uplink`
    later.py           delivers what was left out; left_out.py: which records that is
"""
