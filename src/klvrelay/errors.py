"""The tree of errors that klvrelay raises; `cli.py` turns each into one line and an exit code.

    KlvrelayError
    ├── ConfigError      a setting, an option or a URL is wrong        exit 2
    ├── SourceError      a source can't be read
    │   ├── SourceDown   gone or not there yet: worth another try      exit 3
    │   │   └── OutOfMemory  it needs more than there is               exit 3
    │   └── NotMedia     no stream that klvrelay can read is in it     exit 3
    ├── NoKlv            read to the end, and no KLV was in it         exit 4
    ├── SinkError        a far end can't take records
    │   ├── SinkDown     unsure whether it took them: offer again      exit 5
    │   └── SinkRefused  it said no for good (credentials, rights)     exit 5
    ├── OutputLost       standard output is closed, or its disk full    exit 1
    ├── Shortage         no descriptor, memory or buffer is left        exit 1
    ├── InternalError    a fault of klvrelay's own                      exit 1
    ├── DecodeError      bytes that are no KLV where KLV was asked for exit 4
    └── EncodeError      a value that its item can't hold             exit 2
"""

import errno
import os
import reprlib

from klvrelay.outcome import Outcome
from klvrelay.text import printable

NOTHING = Outcome()


class KlvrelayError(Exception):
    """Root of every error that klvrelay raises on purpose; its text is fit for an operator.

    wait   seconds until another attempt is worth it, at least
    """

    exit_code = 1
    wait = 0.0


class ConfigError(KlvrelayError):
    """A setting is wrong: names the key, and what would be right."""

    exit_code = 2


class _OneLine(KlvrelayError):
    """What a far end says may be in the text: it is shown on one line, without control characters."""

    def __str__(self) -> str:
        return printable(super().__str__())


class SourceError(_OneLine):
    """A source can't be read: names it without its password, and what to try."""

    exit_code = 3


class SourceDown(SourceError):
    """The source is gone or not there yet; another try may succeed, `wait` seconds later at the earliest."""

    def __init__(self, text: str = "", *, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class OutOfMemory(SourceDown):
    """What the source sends needs more memory than there is for it."""


class NotMedia(SourceError):
    """The bytes are neither MPEG-TS nor KLV nor a container that libav knows."""


class NoKlv(KlvrelayError):
    """The source was read to its end and held no KLV."""

    exit_code = 4


class OutputLost(KlvrelayError):
    """Standard output can't be written."""


class Shortage(KlvrelayError):
    """The machine has run out of something that it may have again later."""

    @classmethod
    def of(cls, fault: BaseException) -> "Shortage":
        """With what is short, and where its limit is set."""
        number = getattr(fault, "errno", None) or 0
        hint = {
            errno.EMFILE: ": raise the limit of open files (ulimit -n, LimitNOFILE=)",
            errno.ENFILE: ": raise the limit of open files of the machine (sysctl fs.file-max)",
        }
        return cls(os.strerror(number).lower() + hint.get(number, ""))


class InternalError(KlvrelayError):
    """Something that klvrelay did not foresee."""


class DecodeError(KlvrelayError):
    """The bytes are not the KLV that was asked for."""

    exit_code = 4


class EncodeError(KlvrelayError):
    """A value can't be written: `path` of the item, what was `given`, and what is `allowed`."""

    exit_code = 2

    def __init__(self, path: str, given: object, allowed: str) -> None:
        super().__init__(path, given, allowed)
        self.path = path
        self.given = given
        self.allowed = allowed

    def __str__(self) -> str:
        try:
            given = reprlib.repr(self.given)
        except ValueError:  # an integer of more digits than Python cares to print
            given = f"such a {type(self.given).__name__}"
        return f"{self.path}: {given} can't be written; {self.allowed}"


class SinkError(_OneLine):
    """A far end can't take records."""

    exit_code = 5


class SinkDown(SinkError):
    """The far end is away, or it is unsure whether it has the batch: offer again what was not answered.

    answered  what became of the leading records of the batch, before
    """

    def __init__(self, text: str = "", *, answered: Outcome = NOTHING) -> None:
        super().__init__(text)
        self.answered = answered


class SinkRefused(SinkError):
    """The far end refused for good: wrong credentials, or no right to publish."""


def blunder(error: BaseException) -> str:
    """An internal error, with the file and line that raised it: what a bug report needs, without any of the data."""
    import traceback  # here, since it is seldom wanted

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "code that is not known"
    return f"a fault of klvrelay's own: {type(error).__name__} in {where}"
