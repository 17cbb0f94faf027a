"""An HTTP client for sources, with limits on time, size and reachable hosts.

    client.py   requests of one source       login.py    Basic and Digest
    answer.py   a response and its body      cookies.py  cookies, by origin
    header.py   limits of a response header  proxy.py    the proxy of the environment
    reach.py    addresses that a server may redirect to
    faults.py   failures as sentences     signature.py   HMAC of a body that klvrelay sends
"""
