"""The recorder: a source's bytes as they came, in segments on disk, for months.

    recorder.py       the loop: opens the source, opens it again, hands over what came
    segmenter.py      where one segment ends and the next begins
    segment_store.py  the folder: writes, names, completes and removes segments
    limits.py         sizes and ages as they are written on a command line
"""

from klvrelay.recording.limits import RecordingLimits
from klvrelay.recording.recorder import Recorder

__all__ = ["Recorder", "RecordingLimits"]
