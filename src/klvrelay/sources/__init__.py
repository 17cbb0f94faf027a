"""Sources of packets: the contract, the factory, and one package per kind.

    contract.py     the contract of all sources
    open.py         opens the source for a URL
    files/          files, folders of segments, standard input: at once, while being written, or replayed
    datagrams/      udp:// and rtp://
    tcp/            tcp://
    srt/            srt://
    web/            http://, https://, HLS
    libav/          rtsp://, rtsps://, other containers; MPEG-TS demultiplexed by libav
    isolated/       any of these in a separate process

    progress.py        was the source opened, and do its threads return from their calls in time?
    thread_queue.py    bounded queue from a source's thread to the event loop
    parts.py           splits large pieces, so that the event loop stays responsive
    blocking.py        reads a source when no event loop has to be kept responsive
    receive_buffer.py  the kernel's receive buffer of UDP sockets

Sources do not depend on retries, records or sinks.
"""
