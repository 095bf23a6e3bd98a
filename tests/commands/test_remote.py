"""The commands for a running server: what they do there, what they say, and what they refuse."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import click
import pytest
from click.testing import CliRunner, Result

from foas_emulator.cli import main
from foas_emulator.commands import NAMES
from foas_emulator.commands.fault import read_effect
from foas_emulator.commands.remote import change_lines
from foas_emulator.journal.lines import describe_call
from foas_emulator.testing import Emulator, World

TIMELINE = """
projects:
- Name: shop
  jobs:
  - JobName: clicks
    JobType: FLINK_BATCH
    instances:
    - Id: 5
      timeline:
      - {after: 30s, ActualState: FAILED}
"""


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


@pytest.mark.parametrize("name", ["Bad Name", "", "a" * 65])
@pytest.mark.parametrize("words", [("clock", "show"), ("env",), ("reset",), ("scenario", "empty")])
def test_a_name_that_no_world_can_have_is_a_usage_error(words: tuple[str, ...], name: str, emulator: Emulator) -> None:
    result = run(emulator, *words, "--world", name)
    assert (result.exit_code, "cannot name a world" in result.stderr) == (click.UsageError.exit_code, True)


def test_a_world_is_dropped_by_its_name_and_none_without_one(emulator: Emulator, world: World) -> None:
    emulator.world("gone").create()
    refused = run(emulator, "worlds", "drop")
    assert (refused.exit_code, "worlds drop NAME" in refused.stderr) == (click.UsageError.exit_code, True)
    assert run(emulator, "worlds", "drop", "gone").output == "World gone was dropped.\n"
    assert run(emulator, "worlds", "drop", "gone").exit_code == 1
    assert {"default", world.name} <= set(emulator.worlds())
    assert "gone" not in emulator.worlds()


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "narrowed", [("--operation", "Get*"), ("--status", "404"), ("--code", "Busy"), ("--failed",), ("--last", "20")]
)
def test_a_journal_is_cleared_as_a_whole_or_not_at_all(narrowed: tuple[str, ...], emulator: Emulator) -> None:
    refused = run(emulator, "journal", "--clear", *narrowed, "--world", "mine")
    assert (refused.exit_code, "clears the whole journal" in refused.stderr) == (click.UsageError.exit_code, True)


def test_a_copy_says_whether_it_replaced_a_world_and_is_never_made_of_itself(emulator: Emulator, world: World) -> None:
    assert "World twin is a copy of mine;" in said(emulator, "worlds", "fork", "twin")
    assert "World twin was replaced by a copy of mine;" in said(emulator, "worlds", "fork", "twin")
    run(emulator, "worlds", "drop", "twin")
    refused = run(emulator, "worlds", "fork", "mine", "--world", world.name)
    assert "World mine cannot be a copy of itself" in refused.stderr


def test_a_scenario_creates_a_world_and_says_so(emulator: Emulator) -> None:
    words = ("scenario", "empty", "--world", "created")
    assert run(emulator, *words).output == "World created was created from empty.\n"
    assert run(emulator, *words).output == "World created was replaced from empty.\n"
    run(emulator, "worlds", "drop", "created")


@pytest.mark.usefixtures("world")
def test_a_scenario_is_no_directory(emulator: Emulator, tmp_path: Path) -> None:
    result = run(emulator, "scenario", str(tmp_path), "--world", "mine")
    assert (result.exit_code, result.stderr.startswith(f"{tmp_path}: it is a directory")) == (1, True)


def test_a_dry_run_says_what_would_happen_and_the_world_stays(emulator: Emulator, world: World) -> None:
    said(emulator, "clock", "freeze", "2026-01-01T00:00:00Z")
    before = world.snapshot()
    told = said(emulator, "clock", "advance", "90s", "--dry-run")
    assert "would be frozen at 2026-01-01T00:01:30.000Z; 0 changes would happen, 0 pending." in told
    assert world.snapshot() == before
    said(emulator, "clock", "run")
    assert "would run from " in said(emulator, "clock", "advance", "90s", "--dry-run")


def test_what_changes_is_reported_by_its_job_and_the_state_it_brings(emulator: Emulator, world: World) -> None:
    said(emulator, "clock", "freeze", "2026-01-01T00:00:00Z")
    world.seed(TIMELINE)
    told = "shop/clicks becomes FAILED (instance:5 put_state)"
    assert f"1 change pending.\n  2026-01-01T00:00:30.000Z {told}\n" in said(emulator, "clock", "show")
    assert f"1 change would happen, 1 pending.\n  2026-01-01T00:00:30.000Z {told}\n" in said(
        emulator, "clock", "advance", "30s", "--dry-run"
    )
    assert f"1 change happened, 1 pending.\n  2026-01-01T00:00:30.000Z {told}\n" in said(
        emulator, "clock", "advance", "30s"
    )
    assert "2026-01-03T00:00:30.000Z shop/clicks (instance:5 archive)\n" in said(emulator, "clock", "show")
    (archived,) = world.clock.advance_until_idle()
    assert (archived.what, archived.job, archived.state) == ("instance:5 archive", "shop/clicks", None)


def test_a_clock_lists_as_many_changes_as_are_asked_for_and_says_how_many_there_are(
    emulator: Emulator, world: World
) -> None:
    said(emulator, "clock", "freeze", "2026-01-01T00:00:00Z")
    world.seed(TIMELINE)
    told = "shop/clicks becomes FAILED (instance:5 put_state)"
    first = said(emulator, "clock", "advance", "3d", "--limit", "1", "--dry-run")
    assert first.endswith(f"2 changes would happen, 0 pending.\n  2026-01-01T00:00:30.000Z {told}\n  and 1 more\n")
    shown = json.loads(said(emulator, "clock", "show", "--limit", "1", "--json"))
    assert (shown["pending_total"], len(shown["pending"])) == (1, 1)


def test_no_terminal_obeys_what_a_program_has_sent(emulator: Emulator, world: World) -> None:
    evil = "\x1b]0;x\x07\x9b31m\u202e\u200f\x7f"
    world.seed({"projects": [{"Name": "p", "jobs": [_failing_later(evil)]}]})
    world.faults.arm({"error": "Throttling.User"}, params={"jobName": evil})
    _call(emulator, f"/api/v2/projects?{urlencode({'x': evil})}")
    for words in (("clock", "show"), ("fault", "list"), ("journal",)):
        for form in ((), ("--json",)):
            told = said(emulator, *words, *form)
            assert told.replace("\n", "").isprintable(), words
            assert "\\u001b]0;x\\u0007\\u009b31m\\u202e\\u200f\\u007f" in told


def _failing_later(name: str) -> dict[str, object]:
    return {"JobName": name, "instances": [{"timeline": [{"after": "30s", "ActualState": "FAILED"}]}]}


@pytest.mark.parametrize(("job", "told"), [(None, "cluster:c becomes RUNNING (cluster:c finish)"), ("p/j", "p/j")])
def test_a_change_is_reported_by_what_it_changes_if_it_is_of_no_job(job: str | None, told: str) -> None:
    what = "cluster:c finish" if job is None else "instance:1 archive"
    change = {"at": 0, "what": what, "job": job, "state": "RUNNING" if job is None else None}
    assert change_lines([change]).startswith(f"\n  1970-01-01T00:00:00.000Z {told}")
    assert change_lines([change | {"job": None, "state": None}]) == f"\n  1970-01-01T00:00:00.000Z {what}"


def test_the_journal_tells_when_which_request_and_what_had_a_part_in_it(emulator: Emulator, world: World) -> None:
    assert said(emulator, "journal") == "The journal of world mine has no call.\n"
    _call(emulator, "/api/v2/projects")
    world.faults.arm({"error": "Throttling.User"}, times=1)
    _call(emulator, "/api/v2/projects")
    _call(emulator, "/api/v2/nothing")
    passed, faulted, unknown = world.journal.entries()
    told = said(emulator, "journal")
    for entry in (passed, faulted, unknown):
        assert f"   {entry['time']} request {entry['request_id']}" in told
    assert f"request {faulted['request_id']}; fault rule 1 applied {json.dumps({'error': 'Throttling.User'})}\n" in told
    assert f"\n   {unknown['hint']}\n" in told
    _call(emulator, "/api/v2/projects?pageSize=1&pageSize=2")
    assert f"\n   {world.journal.entries()[-1]['warning']}\n" in said(emulator, "journal")
    _call(emulator, "/api/v2/projects/none/jobs?PageSize=2")
    miscased = world.journal.entries()[-1]
    assert f"\n   {miscased['hint']}\n   {miscased['warning']}\n" in said(emulator, "journal")
    failed = said(emulator, "journal", "--failed")
    assert ("#1 " in failed, "#2 " in failed, "#3 " in failed) == (False, True, True)
    assert said(emulator, "journal", "--operation", "DeleteJob") == "The journal of world mine has no such call.\n"
    refused = run(emulator, "journal", "--operation", "deletejob")
    assert (refused.exit_code, "there is no operation 'deletejob' (the nearest is 'DeleteJob')" in refused.stderr) == (
        1,
        True,
    )
    assert "#2 " not in said(emulator, "journal", "--failed", "--last", "1")


def _call(emulator: Emulator, path: str) -> None:
    address = urlsplit(emulator.url)
    connection = HTTPConnection(address.hostname or "", address.port)
    try:
        connection.request("GET", path, headers={"x-emulator-world": "mine"})
        connection.getresponse().read()
    finally:
        connection.close()


def test_states_are_shown_as_the_service_writes_them(emulator: Emulator) -> None:
    wrong = run(emulator, "state", "p", "j", "1", "DONE").stderr
    assert "'DONE' is none of WAITING, RUNNING, PAUSED, TERMINATED, SUCCESS, FAILED." in wrong
    assert "PROJECT JOB INSTANCE STATE" in run(emulator, "state", "--help").stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("state p j 1 fa", "plain,FAILED"),
        ("serve --seed ni", "plain,night-shift"),
        ("serve --seed ./ni", "file,./ni"),
        ("scenario fi", "plain,five-thousand"),
        ("seed check --onto emp", "plain,empty"),
        ("fault arm trun", "plain,truncate="),
    ],
)
def test_a_name_is_completed(words: str, completed: str) -> None:
    variables = {
        "_FOAS_EMULATOR_COMPLETE": "bash_complete",
        "COMP_WORDS": f"foas-emulator {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = CliRunner().invoke(main, [], env=variables, prog_name="foas-emulator", standalone_mode=True)
    assert done.stdout == f"{completed}\n"


@pytest.mark.parametrize("words", ["journal --operation startj", "fault arm drop --operation StartJ"])
def test_an_operation_is_completed(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_FOAS_EMULATOR_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"foas-emulator {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    script = "from foas_emulator.cli import main; main(prog_name='foas-emulator')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "plain,StartJob\n"


def test_a_scenario_is_what_a_file_says_and_reset_returns_to_it(
    emulator: Emulator, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("projects:\n- Name: '2020-01-01'\n- Name: 2020-01-02\n", "utf-8")
    said(emulator, "scenario", str(file))
    said(emulator, "reset")
    projects = {row["name"] for row in world.snapshot()["tables"]["projects"]}
    assert projects == {"2020-01-01", "2020-01-02"}


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system gives pipes no names")
def test_a_scenario_may_come_from_a_pipe_which_gives_it_only_once(emulator: Emulator, world: World) -> None:
    pipe, end = os.pipe()
    try:
        os.write(end, b"projects:\n- Name: piped\n")
        os.close(end)
        said(emulator, "scenario", f"/dev/fd/{pipe}")
    finally:
        os.close(pipe)
    assert [row["name"] for row in world.snapshot()["tables"]["projects"]] == ["piped"]


@pytest.mark.parametrize("name", ["all-failed", "night-shift"])
def test_a_scenario_is_a_built_in_seed_by_its_name(emulator: Emulator, world: World, name: str) -> None:
    assert f"was replaced from {name}." in said(emulator, "scenario", name)
    failed = [row["job_name"] for row in world.snapshot()["tables"]["instances"] if row["actual_state"] == "FAILED"]
    assert "payments" in failed


@pytest.mark.usefixtures("world")
def test_a_scenario_with_a_fault_is_refused_with_its_line(emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("projects:\n- Name: a\n  Nmae: b\n", "utf-8")
    result = run(emulator, "scenario", str(file), "--world", "mine")
    assert (result.exit_code, f"{file}:3: projects[0].Nmae" in result.stderr) == (1, True)


@pytest.mark.usefixtures("world")
def test_a_state_is_put_and_what_the_service_refuses_is_reported(emulator: Emulator) -> None:
    said(emulator, "state", "project1", "job1", "412536", "failed", "--message", "lost")
    result = run(emulator, "state", "project1", "job1", "1", "FAILED", "--world", "mine")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("world")
def test_the_current_instance_of_a_stream_job_is_put_into_a_state(emulator: Emulator) -> None:
    told = said(emulator, "state", "project1", "job1", "-1", "FAILED", "--message", "-1")
    assert told.startswith("Instance -1 of project1/job1 ")
    for wrong in ("-x", "-1x", "--1"):
        assert run(emulator, "state", "project1", "job1", wrong, "PAUSED").exit_code == 2


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
        ("fault", "arm", '{"a":' * 50_000),
        ("fault", "arm", "drop", "--param", "x"),
        ("clock", "advance"),
        ("clock", "advance", "1s", "--next"),
        ("clock", "advance", "--next", "--idle"),
        ("state", "p", "j", "1", "BROKEN"),
        ("state", "p", "j", "1", "RUNNING", "--message", "x"),
        ("worlds", "drop", "mine"),  # --world names one as well
        ("worlds", "fork", "mine"),
        ("worlds", "fork", "Bad Name"),
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
    assert result.stderr.startswith(f"{stranger.url}: This is not its control token. ")
    assert "--control-token or FOASEMU_CONTROL_TOKEN" in result.stderr


@pytest.mark.parametrize("words", [("worlds",), ("clock", "show"), ("env",), ("run", "true"), ("reset", "--all")])
@pytest.mark.parametrize(
    ("token", "reason"), [(None, "It requires its control token. "), ("bad", "This is not its control token. ")]
)
def test_a_missing_token_and_a_wrong_one_are_told_apart(
    words: tuple[str, ...], token: str | None, reason: str, emulator: Emulator
) -> None:
    command, *rest = words
    where = ["--url", emulator.url, *([] if token is None else ["--control-token", token])]
    result = CliRunner().invoke(main, [command, *where, *rest] if command == "run" else [*words, *where])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{emulator.url}: {reason}")
    assert "Authorization" not in result.stderr


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
def test_a_server_that_is_not_there_is_reported(name: str) -> None:
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


@pytest.mark.parametrize("words", [("worlds",), ("clock", "show"), ("env",), ("healthcheck",), ("run", "true")])
def test_an_address_without_a_scheme_is_told_what_it_lacks(words: tuple[str, ...]) -> None:
    command, *rest = words
    where = ["--url", "localhost:18311"]
    given = [command, *where, *rest] if command == "run" else [*words, *where]
    result = CliRunner().invoke(main, given, env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stderr) == (
        1,
        "localhost:18311: an address begins with http:// or https://\n",
    )


@pytest.mark.parametrize("path", ["/_emulator", "/_emulator/console/w/default/faults"])
def test_the_url_of_a_page_is_told_from_an_address(path: str) -> None:
    result = CliRunner().invoke(main, ["worlds", "--url", NOWHERE + path])
    told = f"{NOWHERE}{path}: this is the URL of a page; the server's address is {NOWHERE}\n"
    assert (result.exit_code, result.stderr) == (1, told)


def test_blanks_around_an_address_are_ignored() -> None:
    result = CliRunner().invoke(main, ["worlds", "--url", f" {NOWHERE}/ "])
    assert result.stderr.startswith(f"{NOWHERE}: connection refused")


@pytest.mark.parametrize("words", [("worlds",), ("reset", "--all"), ("reset",), ("clock", "show")])
def test_an_address_that_cannot_be_read_is_reported(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--url", "http://[::1"], env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stderr) == (1, "http://[::1: Invalid IPv6 URL\n")


def test_no_name_and_no_code_begins_a_line_which_a_ci_may_obey(emulator: Emulator, world: World) -> None:
    name = "a\n::error::b"
    world.faults.arm({"status": 500, "code": name}, operation="GetJob", params={"jobName": name})
    address = urlsplit(emulator.url)
    connection = HTTPConnection(address.hostname or "", address.port)
    connection.request("GET", f"/api/v2/projects/p/jobs/{quote(name)}", headers={"x-emulator-world": world.name})
    assert connection.getresponse().status == 500
    connection.close()
    change = {"at": 0, "what": name, "job": name, "state": None}
    with pytest.raises(AssertionError) as failed:
        world.journal.assert_called("GetJob", status=200)
    given = ["--url", emulator.url, "--control-token", "secret", "--world", world.name]
    for text in (
        CliRunner().invoke(main, ["journal", *given]).output,
        CliRunner().invoke(main, ["fault", "list", *given]).output,
        change_lines([change]),
        describe_call(world.journal.entries()[0]),
        str(failed.value),
    ):
        assert "::error::" in text
        assert "\n::" not in text
