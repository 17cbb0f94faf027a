"""The recorder: a source's bytes as they came, in segments on disk, for months.

    recorder.py   the loop: opens the source, opens it again, hands over what came
    cutter.py     where one segment ends and the next begins
    shelf.py      the folder: writes, names, completes and removes segments
    limits.py     sizes and ages as they are written on a command line

Next door: `sources/files/folder.py` knows the segments' names, and `sources/` reads them back.
"""

from klvrelay.recording.limits import RecordingLimits
from klvrelay.recording.recorder import Recorder

__all__ = ["Recorder", "RecordingLimits"]
