"""The commands for a running server: what they do there, what they say, and what they refuse."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from foas_emulator.cli import main
from foas_emulator.commands import NAMES
from foas_emulator.commands.fault import read_effect
from foas_emulator.testing import Emulator, World


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(control_token="secret") as running:
        yield running


@pytest.fixture
def world(emulator: Emulator) -> Iterator[World]:
    world = emulator.world("mine")
    world.create()
    yield world
    world.drop()


def run(emulator: Emulator, *words: str) -> Result:
    where = ("--url", emulator.url, "--control-token", "secret")
    return CliRunner().invoke(main, [*words, *where], env={"FOASEMU_PORT": None, "FOASEMU_CONTROL_TOKEN": None})


def said(emulator: Emulator, *words: str) -> str:
    result = run(emulator, *words, "--world", "mine")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("world")
def test_every_command_says_with_json_what_the_server_answered(emulator: Emulator) -> None:
    for words in (
        ("clock", "freeze"),
        ("clock", "advance", "1s"),
        ("clock", "show"),
        ("clock", "run"),
        ("state", "project1", "job1", "412536", "PAUSED"),
        ("fault", "arm", "drop"),
        ("fault", "list"),
        ("fault", "disarm"),
        ("journal",),
        ("scenario", "empty"),
        ("reset",),
    ):
        assert isinstance(json.loads(said(emulator, *words, "--json")), dict)


@pytest.mark.parametrize(
    "words",
    [
        ("clock", "show"),
        ("clock", "freeze"),
        ("clock", "advance", "1s"),
        ("state", "project1", "job1", "412536", "PAUSED"),
        ("fault", "arm", "drop"),
        ("fault", "list"),
        ("fault", "disarm"),
        ("journal",),
        ("journal", "--clear"),
        ("reset",),
        ("worlds", "drop"),
        ("worlds", "fork", "copy"),
    ],
)
def test_a_typing_error_makes_no_world(words: tuple[str, ...], emulator: Emulator) -> None:
    before = emulator.worlds()
    result = run(emulator, *words, "--world", "mien")
    assert result.exit_code == 1
    assert "There is no world mien." in result.stderr
    assert emulator.worlds() == before


def test_a_scenario_is_what_a_file_says_and_reset_returns_to_it(
    emulator: Emulator, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("projects:\n- Name: '2020-01-01'\n- Name: 2020-01-02\n", "utf-8")
    said(emulator, "scenario", str(file))
    said(emulator, "reset")
    projects = {row["name"] for row in world.snapshot()["tables"]["projects"]}
    assert projects == {"2020-01-01", "2020-01-02"}


@pytest.mark.parametrize("name", ["all-failed", "night-shift"])
def test_a_scenario_is_a_built_in_seed_by_its_name(emulator: Emulator, world: World, name: str) -> None:
    assert f"starts over from {name}." in said(emulator, "scenario", name)
    failed = [row["job_name"] for row in world.snapshot()["tables"]["instances"] if row["actual_state"] == "FAILED"]
    assert "payments" in failed


@pytest.mark.usefixtures("world")
def test_a_scenario_with_a_fault_is_refused_with_its_line(emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("projects:\n- Name: a\n  Nmae: b\n", "utf-8")
    result = run(emulator, "scenario", str(file), "--world", "mine")
    assert (result.exit_code, f"{file}:3: projects[0].Nmae" in result.stderr) == (1, True)


@pytest.mark.usefixtures("world")
def test_a_state_is_put_and_what_the_service_refuses_is_told(emulator: Emulator) -> None:
    said(emulator, "state", "project1", "job1", "412536", "failed", "--message", "lost")
    result = run(emulator, "state", "project1", "job1", "1", "FAILED", "--world", "mine")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_rule_is_armed_as_its_options_say(emulator: Emulator, world: World) -> None:
    options = ("--operation", "GetInstance", "--param", "jobName=job1", "--skip", "1", "--times", "2", "--ttl", "60s")
    said(emulator, "fault", "arm", "latency=2s", *options, "--after-commit")
    (rule,) = world.faults.rules()
    assert rule["match"] == {"operation": "GetInstance", "params": {"jobName": "job1"}}
    assert (rule["effect"], rule["at"]) == ({"latency": "2s"}, "after_commit")
    assert (rule["skip"], rule["times"]) == (1, 2)


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("error=Throttling.User", {"error": "Throttling.User"}),
        ("latency=2s", {"latency": "2s"}),
        ('latency=["1s","2s"]', {"latency": ["1s", "2s"]}),
        ("truncate=0.5", {"truncate": 0.5}),
        ("drop", {"drop": True}),
        ('{"status": 500, "code": "X"}', {"status": 500, "code": "X"}),
    ],
)
def test_effects_are_read_as_people_write_them(text: str, effect: dict[str, object]) -> None:
    assert read_effect(text) == effect


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "words",
    [
        ("fault", "arm", "{"),
        ("fault", "arm", "drop", "--param", "x"),
        ("clock", "advance"),
        ("clock", "advance", "1s", "--next"),
        ("clock", "advance", "--next", "--idle"),
        ("state", "p", "j", "1", "BROKEN"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(words: tuple[str, ...], emulator: Emulator) -> None:
    assert run(emulator, *words, "--world", "mine").exit_code == click.UsageError.exit_code


NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def other() -> Iterator[Emulator]:
    with Emulator(control_token="secret") as running:
        yield running


def test_worlds_of_several_servers_are_listed_together(emulator: Emulator, other: Emulator) -> None:
    lines = run(other, "worlds", "--url", emulator.url).output.splitlines()
    assert [line.split()[0] for line in lines if " default " in line] == [emulator.url, other.url]


def test_a_server_that_is_asked_twice_is_asked_once(emulator: Emulator) -> None:
    listed = run(emulator, "worlds", "--url", f"{emulator.url}/").output.splitlines()
    assert [line.split()[0] for line in listed].count("default") == 1


def test_all_worlds_of_several_servers_are_reset(emulator: Emulator, other: Emulator) -> None:
    worlds = [server.world("to-reset") for server in (emulator, other)]
    for world in worlds:
        world.create()
        world.settings.update(start_delay="1s")
    result = run(other, "reset", "--all", "--url", emulator.url)
    assert (result.exit_code, result.output.count("to-reset")) == (0, 2)
    assert [world.settings["start_delay"] for world in worlds] == ["0s", "0s"]


@pytest.mark.parametrize("words", [("worlds",), ("reset", "--all")])
def test_a_server_that_is_down_is_named_and_hides_no_other(words: tuple[str, ...], emulator: Emulator) -> None:
    result = run(emulator, *words, "--url", NOWHERE)
    assert (result.exit_code, "default" in result.stdout) == (1, True)
    assert result.stderr.startswith(f"{NOWHERE}: ")
    assert len(result.stderr.splitlines()) == 1
    answered = json.loads(run(emulator, *words, "--url", NOWHERE, "--json").stdout)
    assert "default" in str(answered["worlds"])
    assert [failure["url"] for failure in answered["failed"]] == [NOWHERE]


def test_a_server_that_refuses_is_named_too(emulator: Emulator) -> None:
    with Emulator(control_token="another") as stranger:
        result = run(emulator, "worlds", "--url", stranger.url)
    assert (result.exit_code, "default" in result.stdout) == (1, True)
    assert result.stderr.startswith(f"{stranger.url}: The control API wants its token.")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("worlds", "--url", NOWHERE, "drop"), "--url belongs after drop."),
        (("worlds", "--json", "fork", "copy"), "--json belongs after fork."),
        (("reset", "--url", NOWHERE), "Several --url are for --all"),
        (("reset", "--all", "--world", "mine"), "--all and --world exclude each other."),
    ],
)
def test_what_would_be_ignored_is_a_usage_error(words: tuple[str, ...], reason: str, emulator: Emulator) -> None:
    result = run(emulator, *words)
    assert (result.exit_code, reason in result.stderr) == (click.UsageError.exit_code, True), result.output


def test_a_world_whose_file_is_broken_can_be_reset(tmp_path: Path) -> None:
    with Emulator(data_dir=tmp_path) as emulator:
        emulator.world("kept").create()
    (tmp_path / "kept.db").write_bytes(b"no database")
    with Emulator(data_dir=tmp_path) as emulator:
        assert run(emulator, "clock", "show", "--world", "kept").exit_code == 1
        assert run(emulator, "reset", "--world", "kept").exit_code == 0
        assert run(emulator, "clock", "show", "--world", "kept").exit_code == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "replay"])  # it serves by itself
def test_a_server_that_is_not_there_is_told(name: str) -> None:
    words = {
        "clock": ["clock", "show"],
        "fault": ["fault", "list"],
        "run": ["run", "--url", NOWHERE, "true"],
        "scenario": ["scenario", "empty"],
        "snapshot": ["snapshot", "save", "x.json"],
        "state": ["state", "p", "j", "1", "PAUSED"],
    }.get(name, [name])
    where = [] if name == "run" else ["--url", NOWHERE]
    result = CliRunner().invoke(main, [*words, *where], env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stderr.startswith(f"{NOWHERE}: ")) == (1, True), result.output


@pytest.mark.parametrize("words", [("worlds",), ("reset", "--all"), ("reset",), ("clock", "show")])
def test_an_address_that_cannot_be_read_is_told(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--url", "http://[::1"], env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stderr) == (1, "http://[::1: Invalid IPv6 URL\n")
