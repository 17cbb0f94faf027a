"""Where packets come from: the contract, the factory, and one package per kind of source.

    contract.py     what every source keeps to
    open.py         the source that a URL names
    files/          a file, a folder of segments, standard input: at once, while it grows, or replayed in its own time
    datagrams/      udp:// and rtp://
    tcp/            tcp://
    srt/            srt://
    web/            http://, https://, HLS
    libav/          rtsp://, rtsps://, other containers; MPEG-TS that libav demultiplexes
    isolated/       any of them in a separate process
    thread_queue.py the bounded queue from a source's thread to the event loop
    blocking.py     a source for a reader without an event loop

A source knows nothing of retries, records or sinks.
"""
