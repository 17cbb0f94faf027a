"""Times of video frames (MISB ST 0603, ST 0604): `frame_times.py` finds them in any video that libav opens."""
