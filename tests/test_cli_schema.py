"""`klvrelay schema`: prints the documents, and nothing of a login."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT
from settings_file import written
from test_cli import CANARY, ran

from klvrelay.cli.schema import DOCUMENTS, EPILOG
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.schema import settings_schema
from klvrelay.schema import PAYLOADS, asyncapi, payload_schema


def test_every_payload_has_a_document():
    """On the command line, in the same order."""
    assert [*DOCUMENTS] == ["asyncapi", *PAYLOADS, "settings"]


def test_every_document_is_in_the_help_and_in_the_documentation():
    """`klvrelay schema --help`, and the list in docs/topics.md."""
    page = (ROOT / "docs" / "topics.md").read_text()
    listed = page.partition("`klvrelay schema LEAF` prints")[2].partition(". ")[0]

    assert {*DOCUMENTS} == {*re.findall(r"[a-z-]+", EPILOG)} & {*DOCUMENTS}
    assert {*re.findall(r"`([a-z-]+)`", listed)} == {*PAYLOADS}


def test_acknowledgements_of_the_settings_are_in_the_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """If the settings permit them."""
    path = written(tmp_path, '[incidents]\nset = true\n[[sink]]\nurl = "mqtt://h"\n')

    code, out, _ = ran(capfd, "schema", "-c", path)

    assert code == 0
    assert json.loads(out)["channels"]["incidents-acknowledge"]["address"] == "klvrelay/incidents/acknowledge"


def test_the_schema_of_the_settings_is_printed(capfd: pytest.CaptureFixture[str]):
    """It is a JSON Schema."""
    code, out, said = ran(capfd, "schema", "settings")

    assert (code, said) == (0, "")
    assert out == settings_schema()
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


@pytest.mark.parametrize("leaf", PAYLOADS)
def test_the_schema_of_a_payload_is_printed(leaf: str, capfd: pytest.CaptureFixture[str]):
    """As one JSON document."""
    code, out, said = ran(capfd, "schema", leaf)

    assert (code, said) == (0, "")
    assert json.loads(out) == payload_schema(leaf)


def test_numbers_select_the_form_of_integers(capfd: pytest.CaptureFixture[str]):
    """As in the settings of the relay."""
    assert json.loads(ran(capfd, "schema", "telemetry", "--numbers", "safe")[1]) == payload_schema("telemetry", "safe")


@pytest.mark.parametrize("words", [(), ("asyncapi",)])
def test_the_asyncapi_document_is_the_default(words: tuple[str, ...], capfd: pytest.CaptureFixture[str]):
    """Of a broker on this machine."""
    code, out, said = ran(capfd, "schema", *words)

    assert (code, said) == (0, "")
    assert json.loads(out) == asyncapi(MqttSettings(host="127.0.0.1"))


def test_a_broker_and_a_prefix_are_filled_in_and_a_login_is_not(capfd: pytest.CaptureFixture[str]):
    """No user and no password is in the document."""
    url = f"mqtts://pilot:{CANARY}@broker/site"
    code, out, said = ran(capfd, "schema", "--mqtt", url, "--prefix", "site-b")

    assert code == 0
    assert json.loads(out)["servers"]["broker"]["host"] == "broker:8883"
    assert json.loads(out)["channels"]["link"]["address"] == "site-b/{stream}/link"
    assert CANARY not in out + said
    assert "pilot" not in out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("records",), "asyncapi"),
        (("link", "--prefix", "site"), "--prefix: applies to the document asyncapi only"),
        (("link", "--mqtt", "mqtt://h"), "--mqtt: applies to the document asyncapi only"),
        (("settings", "--numbers", "safe"), "--numbers: applies to the topics only"),
        (("--prefix", "a/#"), "mqtt prefix"),
        (("--prefix", "{site}"), "prefix: AsyncAPI has no form"),
        (("--mqtt", "http://h"), "mqtt://"),
    ],
)
def test_what_has_no_effect_or_no_form_is_refused(words: tuple[str, ...], hint: str, capfd: pytest.CaptureFixture[str]):
    """With one line and exit code 2, and without a document."""
    code, out, said = ran(capfd, "schema", *words)

    assert (code, out) == (2, "")
    assert hint in said
