"""Reorders a command line so that options may stand between arguments, which argparse does not accept."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence


def separate(words: Sequence[str], actions: Iterable[argparse.Action]) -> tuple[list[str], list[int]]:
    """The same words in an order that argparse accepts: options with their values first, then arguments.

    Also returns, for each `--stream`, the number of arguments before it.
    """
    table = {name: action for action in actions for name in action.option_strings}
    options: list[str] = []
    arguments: list[str] = []
    places: list[int] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            arguments += rest
        elif not word.startswith("-") or word == "-":
            arguments.append(word)
        else:
            action, has_value = _option_of(word, table)
            if action is not None and action.dest == "stream":
                places.append(len(arguments))
            options += [word, *_value_of(rest, action, has_value)]
    return [*options, "--", *arguments] if arguments else options, places


def _value_of(rest: Iterator[str], action: argparse.Action | None, has_value: bool) -> list[str]:
    """The word after an option, if the option takes a value."""
    if action is None or has_value or action.nargs == 0:
        return []
    value = next(rest, None)
    return [] if value is None else [value]


def _option_of(word: str, table: dict[str, argparse.Action]) -> tuple[argparse.Action | None, bool]:
    """The option that a word names, possibly abbreviated, and whether the word includes the value."""
    if word.startswith("--"):
        name, sign, _ = word.partition("=")
        return _long_option(name, table), bool(sign)
    for place, letter in enumerate(word[1:], 2):
        action = table.get(f"-{letter}")
        if action is None or action.nargs != 0:
            return action, place < len(word)
    return None, False


def _long_option(name: str, table: dict[str, argparse.Action]) -> argparse.Action | None:
    if name in table:
        return table[name]
    found = {id(action): action for known, action in table.items() if known.startswith(name)}
    return next(iter(found.values())) if len(found) == 1 else None
