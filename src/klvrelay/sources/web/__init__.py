"""http:// and https://: MPEG-TS and bare KLV for the C core, HLS, and other containers, whose bytes go to libav.

    source.py     reads on a thread, and detects the content
    playlist.py   parses HLS playlists (RFC 8216)
    links.py      resolves the URLs in a playlist
    follow.py     reads HLS segments in order, and counts losses
    fetch.py      the bytes of one segment
    crypt.py      decrypts segments (AES-128)
    losses.py     counts lost segments, and logs them once a second
    position.py   how far a playlist was read, across connections
    resume.py     the state that a connection passes to the next
    file.py       files for libav: a file on a server, or fragments of a playlist

Every request, including those for keys and segments, goes through `transports/http`: only verified servers are read,
and credentials are sent to the URL's origin only.
"""
