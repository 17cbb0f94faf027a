"""The README and the pages in docs/: their links lead somewhere, their commands are valid, their settings load."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from cases import each_case
from conftest import ROOT

from klvrelay.cli.options import parser
from klvrelay.config.alerts import AlertsSettings
from klvrelay.config.log import LogSettings
from klvrelay.config.settings_file import load

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(language: str) -> list[str]:
    """The code blocks of a language in all pages."""
    return [block for page in PAGES for block in re.findall(rf"(?ms)^```{language}\n(.*?)^```", page.read_text())]


def commands() -> list[str]:
    """The klvrelay commands in shell blocks, without comments and process substitutions."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("klvrelay ")]
    return [re.sub(r"<\([^)]*\)", "FILE", line) for line in lines]


def broken(target: Path, anchor: str) -> bool:
    return not target.exists() or bool(anchor and anchor not in anchors(target))


def test_every_link_between_pages_leads_to_a_file_and_a_heading():
    """Links to other sites are not followed."""
    links = [(page, path, anchor) for page in PAGES for path, anchor in LINK.findall(page.read_text())]
    local = [link for link in links if "//" not in link[1]]

    assert len(local) > 30
    assert [
        f"{page.name}: {path}#{anchor}"
        for page, path, anchor in local
        if broken(page.parent / path if path else page, anchor)
    ] == []


def test_every_page_in_docs_is_linked_from_the_readme():
    """A reader of the README finds every page."""
    linked = {path for path, _ in LINK.findall((ROOT / "README.md").read_text())}

    assert [page.name for page in PAGES[2:] if f"docs/{page.name}" not in linked] == []


@each_case("command", commands())
def test_every_command_is_accepted(command: str):
    """The options of each command shown exist and have valid values."""
    words = shlex.split(command, comments=True)
    words = words[1 : words.index(">")] if ">" in words else words[1:]

    assert parser().parse_args(words).verb == words[0]


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_settings_example_is_accepted(block: str, tmp_path: Path):
    """Completed by a broker if it has none, it loads."""
    settings = tmp_path / "relay.toml"
    broker = "" if "[[sink.output]]" in block else '[[sink]]\nurl = "mqtt://127.0.0.1"\n'
    settings.write_text(f"{broker}{block}")

    loaded = load(settings)
    has_more = len(loaded.sinks) > 1 or loaded.sinks[0].outputs or loaded.log != LogSettings() or loaded.http
    assert loaded.sources or loaded.spool or has_more or loaded.alerts != AlertsSettings()


def test_every_settings_example_of_the_outputs_is_complete(tmp_path: Path):
    """As it is on the page: a reader may copy it into a file."""
    found = re.findall(r"(?ms)^```toml\n(.*?)^```", (ROOT / "docs/outputs.md").read_text())
    for number, block in enumerate(found):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        assert load(path).sources, block
    assert len(found) >= 4


def test_the_python_example_uses_names_that_exist():
    """Every function of klvrelay that the README calls is public."""
    import klvrelay

    body = "\n".join(f"    {line}" for block in blocks("python") for line in block.splitlines())
    tree = ast.parse(f"async def example():\n{body}")
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_package(node.value)}

    assert len(names) > 5
    assert [name for name in names if name not in klvrelay.__all__] == []


def _is_package(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "klvrelay"


def test_the_readme_fits_a_front_page():
    """Details belong into docs/."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 240
