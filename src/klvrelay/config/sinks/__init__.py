"""The kinds of sinks: their URLs and their settings.

    far_end.py  what the settings of all kinds have       kind.py     what distinguishes the kinds
    known.py    all kinds                                 address.py  URLs of sinks
    shared.py   settings that several kinds have          lines.py    UDP, TCP, Unix sockets, standard output
    redis.py    Redis Streams                             nats.py     NATS JetStream
    files.py    files in a folder                         http.py     a web server
    cot.py      Cursor on Target
"""
