"""The errors that klvrelay raises, with the exit codes of the command.

    KlvrelayError
    ├── ConfigError      invalid setting, option or URL                 exit 2
    ├── SourceError      a source can't be read
    │   ├── SourceDown   disconnected or not available yet: retry       exit 3
    │   │   └── OutOfMemory  it needs more memory than is available     exit 3
    │   └── NotMedia     not a format that klvrelay can read            exit 3
    ├── NoKlv            read to the end without finding KLV            exit 4
    ├── SinkError        records can't be delivered
    │   ├── SinkDown     delivery is uncertain: offer again             exit 5
    │   └── SinkRefused  refused permanently (credentials, rights)      exit 5
    ├── OutputLost       standard output is closed, or the disk is full exit 1
    ├── Shortage         no descriptor, memory or buffer is left        exit 1
    ├── InternalError    a bug in klvrelay                              exit 1
    ├── DecodeError      bytes are not the expected KLV                 exit 4
    └── EncodeError      a value can't be encoded in its item           exit 2
"""

import errno
import os
import reprlib

from klvrelay.outcome import Outcome
from klvrelay.text import printable

NOTHING = Outcome()
BITS_SHOWN = 2048
"""Bits of the largest integer of which an error shows digits: below the lowest limit that Python can be set to."""


class KlvrelayError(Exception):
    """Root of all errors that klvrelay raises. The text is written for operators.

    wait   minimum seconds until a retry makes sense
    """

    exit_code = 1
    wait = 0.0


class ConfigError(KlvrelayError):
    """A setting is invalid. The message names the key and the valid values."""

    exit_code = 2


class _OneLine(KlvrelayError):
    """The text on one line, without control characters: it may quote a remote peer."""

    def __str__(self) -> str:
        return printable(super().__str__())


class SourceError(_OneLine):
    """A source can't be read. The message names it without its password, and suggests a remedy."""

    exit_code = 3


class SourceDown(SourceError):
    """The source is disconnected or not available yet. A retry may succeed after `wait` seconds."""

    def __init__(self, text: str = "", *, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class OutOfMemory(SourceDown):
    """The source needs more memory than is available."""


class NotMedia(SourceError):
    """The data is neither MPEG-TS nor KLV nor a container supported by libav."""


class NoKlv(KlvrelayError):
    """The source was read to its end and contains no KLV."""

    exit_code = 4


class OutputLost(KlvrelayError):
    """Standard output can't be written."""


class Shortage(KlvrelayError):
    """A temporary shortage of a system resource."""

    @classmethod
    def of(cls, fault: BaseException) -> "Shortage":
        """The error with the resource that is short, and how to raise its limit."""
        number = getattr(fault, "errno", None) or 0
        hint = {
            errno.EMFILE: ": raise the limit of open files (ulimit -n, LimitNOFILE=)",
            errno.ENFILE: ": raise the limit of open files of the machine (sysctl fs.file-max)",
        }
        return cls(os.strerror(number).lower() + hint.get(number, ""))


class InternalError(KlvrelayError):
    """An unexpected error, i.e. a bug."""


class DecodeError(KlvrelayError):
    """The bytes are not the expected KLV."""

    exit_code = 4


class EncodeError(KlvrelayError):
    """A value can't be encoded: the `path` of the item, the `value`, and what is `allowed`."""

    exit_code = 2

    def __init__(self, path: str, value: object, allowed: str) -> None:
        super().__init__(path, value, allowed)
        self.path = path
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.path}: {_Shortened().repr(self.value)} can't be written; {self.allowed}"


class _Shortened(reprlib.Repr):
    """Large integers as their size: what Python shows of one beyond its limit of digits depends on its version."""

    def repr_int(self, x: int, level: int) -> str:
        return f"an integer of {bits} bits" if (bits := x.bit_length()) > BITS_SHOWN else super().repr_int(x, level)


class SinkError(_OneLine):
    """Records can't be delivered."""

    exit_code = 5


class SinkDown(SinkError):
    """The far end is unavailable, or delivery is uncertain: offer the unanswered records again.

    answered  outcome of the leading records of the batch, answered before the error
    traced    the sink itself finds which message ended the connection, and leaves it out
    """

    def __init__(self, text: str = "", *, answered: Outcome = NOTHING, traced: bool = False) -> None:
        super().__init__(text)
        self.answered = answered
        self.traced = traced


class SinkRefused(SinkError):
    """The far end refused permanently: wrong credentials, or no permission to publish."""


def describe_bug(error: BaseException) -> str:
    """Describe an internal error for a bug report: type, file and line, without any data."""
    import traceback  # here, since it is rarely needed

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "unknown code"
    return f"internal error: {type(error).__name__} in {where}"
