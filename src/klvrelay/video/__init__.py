"""The pictures of a recording, for exports that show them.

access_units.py   `AccessUnit`: compressed pictures that libav demultiplexes from a file or from pushed bytes
units.py          the NAL units of H.264 and H.265: key frames and their parameter sets
pictures.py       `VideoPicture`: access units as they are, where viewers can show them, else JPEG
jpeg.py           decodes video and encodes JPEG
recording.py      the pictures of a recording, in step with its KLV
clock.py          the time of a picture: its time stamp (ST 0604), else from the KLV
"""
