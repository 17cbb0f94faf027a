"""Addresses and connections, shared by sources, sinks and senders.

    address.py         hosts and network interfaces of datagrams
    resolver.py        names to addresses, within a time limit
    tcp.py             what a tcp:// URL asks for, and the opening
    srt.py, libsrt.py  what a srt:// URL asks for, and the opening by the system's libsrt
    tls.py             whom TLS trusts
    http/              an HTTP client
    arrival_clock.py   when bytes came
"""
