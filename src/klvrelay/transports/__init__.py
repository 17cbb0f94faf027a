"""Addresses, name resolution and connections for sources, sinks and senders.

    address.py        datagram addresses, interfaces and sockets    tcp.py            tcp:// connections
    resolver.py       host names, with a time limit                 srt.py            srt:// connections
    arrival_clock.py  the clock of arrival times                    libsrt.py         binding to libsrt (srt_header.py)
    tls.py            certificates, and the causes of TLS failures  http/             HTTP client
    tcp_info.py       what the kernel counts of a TCP connection
"""
