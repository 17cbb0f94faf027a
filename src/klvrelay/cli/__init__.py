"""The command `klvrelay`: options, and one module per verb."""
