"""The line of each setting in a TOML file, which Python's parser does not report."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from test_settings_faults import FULL, SAMPLE, mutated

from klvrelay.config.toml_lines import Place, lines_of

FORMS = '''\
# [comment] a = 1
relay.waiting = 1
text = """
[source]
a = 1
"""
[sink] # = 3
"qo\\u0073" = 1.5
pids = [1,
  2, # ]
 3]
inline = {c = "=]", d = [{e = 1}]}
[[source]]
url = 'x # = '
[source.pids]
0x101 = "a"
[[ source ]]
  "url"="b"
last = \'\'\'a
'\'\'\'
"" = 1
end=1
[[source]]
[z]'''


def test_every_form_of_toml_is_understood():
    """Strings of several lines, comments, arrays, quoted and dotted keys, tables of a table."""
    tomllib.loads(FORMS)
    assert lines_of(FORMS) == {
        ("relay", 0, None): 2, ("relay", 0, "waiting"): 2, ("text", 0, None): 3, ("sink", 0, None): 7,
        ("sink", 0, "qos"): 8, ("sink", 0, "pids"): 9, ("sink", 0, "inline"): 12, ("source", 0, None): 13,
        ("source", 0, "url"): 14, ("source", 0, "pids"): 15, ("source", 1, None): 17, ("source", 1, "url"): 18,
        ("source", 1, "last"): 19, ("source", 1, ""): 21, ("source", 1, "end"): 22, ("source", 2, None): 23,
        ("z", 0, None): 24,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n", "#", "[a]", "a=1", "\r\n[a]\r\nb = 1\r\n"])
def test_small_files_have_lines_too(text: str):
    """Also those with the line ends of Windows."""
    assert [place for place, _ in places(tomllib.loads(text)) if place not in lines_of(text)] == []


def places(tables: dict[str, Any]) -> list[tuple[Place, str]]:
    """Each table and each of its keys, with a text that its line must contain."""
    found: list[tuple[Place, str]] = []
    for name, value in tables.items():
        entries = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        for number, entry in enumerate(entries):
            found.append(((name, number, None), name))
            if isinstance(entry, dict):
                found += [((name, number, key), key) for key in entry]
    return found


def test_every_setting_of_a_damaged_file_has_its_line():
    """Of those that are still TOML: the line contains the key."""
    texts = [FULL, SAMPLE.read_text(), FORMS]
    for seed in range(1500):
        data = mutated(seed)
        try:
            text = data.decode()
            tomllib.loads(text)
        except ValueError:
            continue
        texts.append(text)
    assert len(texts) > 300
    checked = 0
    for text in texts:
        found, lines = lines_of(text), text.split("\n")
        for place, key in places(tomllib.loads(text)):
            if place not in found:
                assert "{" in lines[found[place[0], 0, None] - 1], place  # within an inline table
            elif key.isalnum() and "\\" not in lines[found[place] - 1]:
                assert key in lines[found[place] - 1], place
                checked += 1
    assert checked > 3000
