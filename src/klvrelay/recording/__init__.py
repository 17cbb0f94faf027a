"""The recorder: writes a source's bytes unchanged into segments on disk.

    recorder.py       opens and reopens the source, and passes its bytes on
    segmenter.py      decides where segments end
    segment_store.py  writes, names, completes and removes segments
    limits.py         parses size and age limits
"""

from klvrelay.recording.limits import RecordingLimits
from klvrelay.recording.recorder import Recorder

__all__ = ["Recorder", "RecordingLimits"]
