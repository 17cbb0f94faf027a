"""srt://: caller, listener or rendezvous. `source.py` reads it; `transports/srt.py` opens it."""
