"""Argument parser with one-line errors, and with arguments and options in any order."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from klvrelay.cli import standard_streams
from klvrelay.cli.intermixed import separate
from klvrelay.errors import ConfigError
from klvrelay.text import printable


class Parser(argparse.ArgumentParser):
    """argparse's parser with one-line errors; options may stand between arguments of a verb that takes several."""

    def __init__(self, *, verbs: Iterable[str] = (), **described: Any) -> None:
        self.verbs = verbs
        super().__init__(**described)
        refuse_passwords(self, "--password", "--passphrase")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Like argparse, but report unexpected arguments as errors of this verb."""
        if args is not None and not self.verbs and (unknown := self._unknown(args)):
            self.error(_unexpected_text(unknown, self._options()))  # after argparse has reported missing arguments
        if args is not None and any(action.nargs == "*" for action in self._actions):
            args, places = separate(args, self._actions)
            namespace = argparse.Namespace(**vars(namespace or argparse.Namespace()), stream_places=places)
        parsed, left = super().parse_known_args(args, namespace)
        if left:
            self.error(_unexpected_text(left[0], self._options()))
        return parsed, left

    def print_help(self, file: object = None) -> None:
        """Print to standard output. Raise OutputLost where argparse would ignore the error."""
        with standard_streams.flush_output():
            sys.stdout.write(self.format_help())

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{printable(_reword(message, self.verbs))}\ntry: {self.prog} --help")

    def _unknown(self, words: Sequence[str]) -> str | None:
        """The first word that looks like a long option and is not a prefix of one."""
        known = [name for action in self._actions for name in action.option_strings]
        end = words.index("--") if "--" in words else len(words)
        names = (word for word in words[:end] if word.startswith("--"))
        return next((w for w in names if not any(name.startswith(w.partition("=")[0]) for name in known)), None)

    def _options(self) -> list[str]:
        """The options shown by --help, by their longest names."""
        shown = (action for action in self._actions if action.help != argparse.SUPPRESS)
        return [name for action in shown for name in action.option_strings if name.startswith("--")]


class Version(argparse.Action):
    """Print `const` and end the command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        with standard_streams.flush_output():
            sys.stdout.write(f"{self.const}\n")
        parser.exit()


class _Refused(argparse.Action):
    """Reject the option with the hint `metavar`, before its value is used and quoted in a message."""

    def __call__(self, parser: argparse.ArgumentParser, *parsed: object) -> NoReturn:
        parser.error(f"{parsed[-1]}: {self.metavar}")


def refuse(parser: argparse.ArgumentParser, *options: str, hint: str) -> None:
    """Turn these options into an error with a hint."""
    parser.add_argument(*options, action=_Refused, metavar=hint, help=argparse.SUPPRESS)


def refuse_passwords(parser: argparse.ArgumentParser, *options: str) -> None:
    """Turn these options into an error that explains where to put a password."""
    hint = (
        "every user of this machine can read the command line: put the password in a file (--password-file,"
        " --mqtt-password-file) or in the environment (see `klvrelay run --help`)"
    )
    refuse(parser, *options, hint=hint)


_VERB = re.compile(r"argument VERB: invalid choice: (?:'([^']*)'|(\S*))")
_NO_NUMBER = re.compile(r": invalid (int|float) value: '(.*)'$")
_MISSING = "the following arguments are required: "


def _reword(message: str, verbs: Iterable[str]) -> str:
    """argparse's message, reworded for this command."""
    if found := _VERB.match(message):
        verb = found[1] or found[2] or ""
        return f"unknown verb {verb}; {_suggest(verb, verbs)}{_list_valid('verbs', verbs)}"
    if message == f"{_MISSING}VERB":
        return f"missing VERB; {_list_valid('verbs', verbs)}"
    if found := _NO_NUMBER.search(message):
        return f"{message[: found.start()]} {found[2]}: give a {'whole ' * (found[1] == 'int')}number"
    if message.startswith(_MISSING):
        return f"missing: {message.removeprefix(_MISSING)}"
    return message


def _unexpected_text(word: str, options: list[str]) -> str:
    """The error for a word that matches no option or argument. It does not quote the value after `=`."""
    if not word.startswith("-"):
        return f"unexpected argument {word}"
    name = word.partition("=")[0]
    return f"unknown option {name}; {_suggest(name, options) or _list_valid('options', options)}".rstrip()


def _suggest(word: str, known: Iterable[str]) -> str:
    import difflib  # here, since only an error needs it

    near = difflib.get_close_matches(word[:40], list(known), n=1, cutoff=0.7)
    return f"did you mean {near[0]}? " if near else ""


def _list_valid(what: str, known: Iterable[str]) -> str:
    return f"valid {what}: {', '.join(known)}"
