"""tcp://: a connection that klvrelay makes, or waits for. `source.py` reads it; `transports/tcp.py` opens it."""
