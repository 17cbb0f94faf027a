"""The kinds of sinks: their URLs and their settings.

far_end.py      what the settings of all kinds have       kind.py      what distinguishes the kinds
known.py        all kinds                                 address.py   URLs of sinks
lines.py        UDP, TCP, Unix sockets, standard output   shared.py    settings that several kinds have
cot.py          Cursor on Target
"""
