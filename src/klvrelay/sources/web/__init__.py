"""http:// and https://: MPEG-TS and bare KLV for the C core, HLS, and other containers, whose bytes go to libav.

    source.py     the source: a thread that reads, and what is found in the bytes
    playlist.py   what an HLS playlist says (RFC 8216)
    links.py      what it names, as URLs
    follow.py     HLS segments in order, each loss counted
    fetch.py      the bytes of one segment
    losses.py     lost segments counted, and logged once a second
    position.py   how far a playlist was read, over all openings
    resume.py     what earlier openings gave
    crypt.py      AES-128 of HLS segments
    file.py       what libav reads: a file on a server, or fragments of a playlist

`transports/http/` makes the requests.
"""
