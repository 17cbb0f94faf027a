"""The recorder: writes a source's bytes unchanged into segments on disk, of `klvrelay.recordings`."""

from klvrelay.recording.recorder import Recorder
from klvrelay.recordings.limits import RecordingLimits

__all__ = ["Recorder", "RecordingLimits"]
