"""The settings of a budget: what is refused, and the sinks and cursors that they make."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT
from records import record
from settings_file import written

from klvrelay.cli import main as cli
from klvrelay.config.settings import RelaySettings
from klvrelay.config.settings_file import read_settings
from klvrelay.errors import ConfigError
from klvrelay.relay.build import build_relay, change_of
from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.budget.reduction import urgency_of
from klvrelay.sinks.mqtt.budget.budget_outputs import BudgetOutputs
from klvrelay.sinks.mqtt.budget.later import LaterSink

HEAD = '[[source]]\nurl = "udp://127.0.0.1:5000"\nstream = "uav1"\n[[sink]]\nurl = "mqtt://127.0.0.1:1883"\n'
POSITION = '[[sink.output]]\nname = "position"\nitems = ["position"]\n'
WHOLE = '[[sink.output]]\npreset = "telemetry"\nformat = "klv"\n'


def settings(folder: Path, text: str) -> RelaySettings:
    path = folder / "relay.toml"
    path.write_text(HEAD + text)
    return read_settings(str(path)).settings


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("budget = 64", "budget: must be a bit rate"),
        ('budget = "64"', 'such as "64kbit/s"'),
        ('budget = "0.5kbit/s"', 'from "1kbit/s" to "10Gbit/s"'),
        ("budget_later = true", "budget_later: has no effect without budget"),
        ('budget = "64kbit/s"\nclient = "aiomqtt"', 'budget: needs client = "native"'),
        ('budget = "64kbit/s"\nbatch = "100ms"', "batch: cannot be set with budget"),
        (f'budget = "64kbit/s"\nbudget_later = true\n{POSITION}', "budget_later: needs an output of whole records"),
    ],
)
async def test_a_contradiction_is_refused_with_its_key(tmp_path, text, fault):
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path, text)
    assert fault in str(raised.value)


async def test_a_sink_with_a_budget_shapes_its_records(tmp_path):
    """Without outputs in the settings, telemetry and state; many records may be in flight."""
    relay = build_relay(settings(tmp_path, 'budget = "9.6kbit/s"\n'))
    (task,) = relay.sink_tasks
    assert task.sink.takes_all
    assert isinstance(task.sink.budget_outputs, BudgetOutputs)
    assert [output.name for output in task.sink.budget_outputs._shaper.outputs] == ["telemetry", "state"]


async def test_what_is_left_out_has_a_second_cursor(tmp_path):
    """With the format of the output that has whole records. A reload removes it."""
    old = settings(tmp_path, f'budget = "64kbit/s"\nbudget_later = true\n{POSITION}{WHOLE}')
    relay = build_relay(old)
    first, second = relay.sink_tasks
    assert (first.name, second.name) == ("mqtt", "mqtt.later")
    assert isinstance(second.sink, LaterSink)
    (later,) = first.sink.budget_outputs._left_out.shaper.outputs
    assert (later.name, later.format, later.topic) == ("later", "klv", "{prefix}/{stream}/later")
    change = change_of(old, settings(tmp_path, f'budget = "64kbit/s"\n{POSITION}{WHOLE}'), relay.boot)
    assert [each.key for each in change.sinks] == ["mqtt"]
    assert change.gone_sinks == ("mqtt.later",)
    again = change_of(old, settings(tmp_path, f'budget = "32kbit/s"\nbudget_later = true\n{WHOLE}'), relay.boot)
    assert [each.key for each in again.sinks] == ["mqtt", "mqtt.later"]
    assert again.gone_sinks == ()


async def test_a_marking_above_the_limits_does_not_follow_later(tmp_path):
    """The limits of the output and of the sink apply to what follows, too."""
    text = 'budget = "64kbit/s"\nbudget_later = true\nmax_classification = "SECRET"\n'
    text += f'{WHOLE}max_classification = "RESTRICTED"\n'
    (first, _) = build_relay(settings(tmp_path, text)).sink_tasks
    shaper = first.sink.budget_outputs._left_out.shaper
    assert shaper.outputs[0].limit.level == 2
    assert shaper._gate.limit.level == 4


async def test_what_follows_later_is_best_effort_and_never_a_loss(tmp_path):
    """The summary counts it separately, also after a reload removed it; exit code 8 does not depend on it."""
    text = f'budget = "64kbit/s"\nbudget_later = true\n{WHOLE}'
    relay = build_relay(settings(tmp_path, text))
    first, second = relay.sink_tasks
    relay._log.append(record(1))
    assert relay.lost == 1
    assert relay.losses.startswith("sink=mqtt://127.0.0.1:1883 shed=0")
    assert " later " not in relay.losses
    assert "0 delivered to mqtt://127.0.0.1:1883 later, 0 shed, 1 waiting" in relay.summary()
    for task in (first, second):
        sums = task.sums()._replace(waiting=0, shed=1)
        relay._counts.add_removed_sink(task.health.name, sums, is_best_effort=task.is_best_effort)
    relay.sink_tasks = []
    assert relay.lost == 1
    assert " later " not in relay.losses
    assert "mqtt://127.0.0.1:1883 later, 1 shed" in relay.summary()


@pytest.mark.parametrize(
    ("source", "sink", "warns"),
    [
        ("", 'budget = "64kbit/s"', True),
        ("speed = 1", 'budget = "64kbit/s"', False),
        ("follow = true", 'budget = "64kbit/s"', False),
        ("", "", False),
    ],
)
def test_a_file_without_speed_and_a_budget_get_a_warning(tmp_path, capfd, source, sink, warns):
    """`check` and `run` give it: the budget would leave out most of the file."""
    (tmp_path / "flight.ts").write_bytes(b"")
    path = tmp_path / "relay.toml"
    flight = tmp_path / "flight.ts"
    path.write_text(f'[[source]]\nurl = "{flight}"\n{source}\n[[sink]]\nurl = "mqtt://127.0.0.1:1883"\n{sink}\n')
    warnings = read_settings(str(path)).warnings
    assert [("set speed = 1" in each and "flight.ts" in each) for each in warnings] == [True] * warns
    assert cli.main(["check", str(path)]) == 0
    assert ("set speed = 1" in capfd.readouterr().err) is warns
    assert cli.main(["run", "-c", str(path), "--print-config"]) == 0
    assert capfd.readouterr().err.count("set speed = 1") == warns


def test_a_file_of_the_command_line_gets_the_warning_too(tmp_path, capfd):
    path = tmp_path / "relay.toml"
    path.write_text('[[sink]]\nurl = "mqtt://127.0.0.1:1883"\nbudget = "64kbit/s"\n')
    (tmp_path / "flight.ts").write_bytes(b"")
    assert cli.main(["run", str(tmp_path / "flight.ts"), "-c", str(path), "--print-config"]) == 0
    assert capfd.readouterr().err.count("set speed = 1") == 1


def test_the_class_of_each_output_is_printed(tmp_path, capfd):
    """That which its items have, unless the settings name one."""
    text = f'budget = "64kbit/s"\n{POSITION}{WHOLE}'
    text += '[[sink.output]]\nname = "heading"\nitems = ["position", "attitude"]\n'
    text += '[[sink.output]]\nname = "urgent"\nclass = "alert"\nitems = ["mission_id"]\n'
    settings(tmp_path, text)
    assert cli.main(["check", str(tmp_path / "relay.toml"), "--print-config"]) == 0
    lines = [line.split("# ")[-1] for line in capfd.readouterr().out.splitlines() if line.startswith("# class")]
    assert lines == [f"{name}, from its items" for name in ("position", "other", "attitude")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f'{POSITION}class = "alert"\n', "sink.output.class: has no effect without budget"),
        (f"{POSITION}on_change = true\ndead_band = {{slant_range = 5}}\n", "slant_range is not among the items"),
    ],
)
def test_a_setting_without_effect_is_refused(tmp_path, text, fault):
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path, text)
    assert fault in str(raised.value)
    with_effect = f'budget = "64kbit/s"\n{text}'.replace("slant_range", "sensor_latitude")
    assert settings(tmp_path, with_effect).sinks[0].outputs


def test_the_whole_file_of_the_documentation_is_valid(tmp_path, capfd):
    """As it is shown, without a warning; with the classes that its comments name."""
    parts = (ROOT / "docs" / "outputs.md").read_text().split("```toml\n")[1:]
    (text,) = (block for part in parts if "budget_later" in (block := part.partition("```")[0]))
    path = written(tmp_path, text)
    assert cli.main(["check", path]) == 0
    assert capfd.readouterr() == (f"{path}: valid: 2 sources, 1 sink\n", "")
    found = read_settings(path).settings
    classes = {output.name: urgency_of(output) for output in found.sinks[0].outputs}
    assert classes == {
        "position": Urgency.POSITION, "pointing": Urgency.ATTITUDE, "telemetry": Urgency.OTHER, "state": Urgency.STATE,
    }  # fmt: skip
    assert [task.name for task in build_relay(found).sink_tasks] == ["uplink", "uplink.later"]
