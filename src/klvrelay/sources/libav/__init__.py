"""Sources read by libav (PyAV), each in a thread.

source.py         rtsp://, rtsps://, and containers other than MPEG-TS
demuxer.py        opens libav, and translates its errors
damage.py         which packets the transport damaged
boxes.py          checks whether an mp4 has its index
gateway.py        relays between libav and an RTSP server
sdp.py            the server's description of its media
rtsp_messages.py  RTSP messages
local_client.py   accepts libav's connection to the gateway
udp_drops.py      datagrams that the kernel dropped
rfc6597.py        KLV in a separate RTP track
ts_source.py      demultiplexes the MPEG-TS of other sources with libav instead of the C core
ts_input.py       the file that libav reads for it
"""
