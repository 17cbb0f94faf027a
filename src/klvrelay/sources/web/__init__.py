"""http:// and https://: MPEG-TS and bare KLV for the C core, HLS, and other containers, whose bytes go to libav.

    source.py     the source: a thread that reads, and what is found in the bytes
    client.py     requests: TLS, login, redirects
    reach.py      which addresses a server may send us to, and how fast; RTSP redirects too
    proxy.py      the proxy that the environment names
    cookies.py    each for the origin that set it
    header.py     the header of an answer: its time and size
    answer.py     the body of an answer: its length, its time limits
    faults.py     what a server's no means, in one sentence
    login.py      Basic and Digest; RTSP asks for the same
    playlist.py   what an HLS playlist says (RFC 8216)
    links.py      what it names, as URLs
    follow.py     HLS segments in order, each loss counted
    fetch.py      the bytes of one segment
    losses.py     lost segments counted, and logged once a second
    place.py      how far a playlist was read, over all openings
    given.py      what earlier openings gave
    crypt.py      AES-128 of HLS segments
    file.py       what libav reads: a file on a server, or fragments of a playlist

Every request, nested ones included, is made by `client.py`: nothing is read that was not verified, and the login goes
to the URL's own origin only.
"""
