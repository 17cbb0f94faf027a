"""An HTTP client for sources, bounded in time, size and reach.

    client.py     requests: TLS, login, redirects
    reach.py      which addresses a server may send us to, and how fast; RTSP redirects too
    proxy.py      the proxy that the environment names
    cookies.py    each for the origin that set it
    header.py     the header of an answer: its time and size
    answer.py     the body of an answer: its length, its time limits
    faults.py     what a server's no means, in one sentence
    login.py      Basic and Digest; RTSP asks for the same

Every request, nested ones included, is made by `client.py`: nothing is read that was not verified, and the login goes
to the URL's own origin only.
"""
