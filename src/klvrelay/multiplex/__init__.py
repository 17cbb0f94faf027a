"""Writes MPEG transport streams with video and KLV, for `klvrelay sample` and `klvrelay import`.

mux.py          transport packets, PCR, PES packets, AU cells
tables.py       PAT and PMT
frame_stamp.py  time stamps inside video frames (ST 0604)
whole_file.py   a file that appears when it is complete
"""
