"""Options and arguments in any order, as the parser of a verb with many arguments reads them."""

from __future__ import annotations

import argparse

import pytest
from cases import each_case

from klvrelay.cli.intermixed import separate
from klvrelay.cli.parser import Parser
from klvrelay.errors import ConfigError


def made() -> Parser:
    parser = Parser(prog="x")
    parser.add_argument("things", nargs="*")
    parser.add_argument("-c", "--config")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--stream", action="append", default=[])
    parser.add_argument("--stall", type=float)
    parser.add_argument("--isolate", action=argparse.BooleanOptionalAction)
    return parser


@each_case(
    ("words", "things", "more"),
    [
        ("a b c", "abc", {}),
        ("a -q b", "ab", {"quiet": True}),
        ("a -c f b", "ab", {"config": "f"}),
        ("a -cf b", "ab", {"config": "f"}),
        ("a -qvc f b", "ab", {"config": "f", "quiet": True, "v": True}),
        ("a -qcf b", "ab", {"config": "f", "quiet": True}),
        ("a --con f b --qui c", "abc", {"config": "f", "quiet": True}),
        ("a --config=f b", "ab", {"config": "f"}),
        ("a --stall -1 b", "ab", {"stall": -1.0}),
        ("a --no-isolate b", "ab", {"isolate": False}),
        ("a - b", "a-b", {}),
        ("a -q -- -c b", ["a", "-c", "b"], {"quiet": True, "config": None}),
        ("a --stream x b --stream y", "ab", {"stream": ["x", "y"], "stream_places": [1, 2]}),
        ("--stream x a b --str=y c", "abc", {"stream": ["x", "y"], "stream_places": [0, 2]}),
    ],
    ids=lambda given: given if isinstance(given, str) and " " in given else "",
)  # fmt: skip
def test_arguments_may_be_between_options(words: str, things: str, more: dict[str, object]):
    """In any form of an option: short, joined, abbreviated, with or without a value."""
    parsed = made().parse_args(words.split())
    assert parsed.things == list(things)
    assert {key: getattr(parsed, key) for key in more} == more


@pytest.mark.parametrize("words", ["a --st x b", "a --stall", "a --stall -q", "a --zzz b", "a -z b", "a --stall x b"])
def test_a_wrong_option_is_refused_all_the_same(words: str):
    """Ambiguous, without its value, unknown."""
    with pytest.raises(ConfigError):
        made().parse_args(words.split())


def test_an_empty_command_line_has_no_arguments():
    """No words, no arguments."""
    assert separate([], []) == ([], [])
