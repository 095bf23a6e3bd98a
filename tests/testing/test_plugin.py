"""The pytest plugin, as somebody else's test-suite uses it."""

import json
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from foas_emulator.commands.signed_get import signed_get
from foas_emulator.testing import Emulator, Server, World

pytest_plugins = ["pytester"]

HEAVY = ("click", "fastapi", "http.client", "pydantic", "sqlalchemy", "sqlmodel", "ssl", "starlette", "uvicorn", "yaml")


def test_every_test_gets_a_fresh_world(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("round_", [1, 2])
        def test_each(foas_world, round_):
            assert foas_world.settings["start_delay"] == "0s"
            foas_world.settings["start_delay"] = "30s"
            assert foas_world.settings["start_delay"] == "30s"
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_world_ends_with_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(foas_emulator, foas_world):
            assert foas_emulator.worlds() == ["default", foas_world.name]

        def test_two(foas_emulator):
            assert foas_emulator.worlds() == ["default"]
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_test_may_drop_its_world_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(foas_world): foas_world.drop()")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def names(pytester: pytest.Pytester, *options: str) -> list[str]:
    result = pytester.runpytest_inprocess("-s", *options)
    result.assert_outcomes(passed=2)
    return re.findall(r"<([^>]+)>", result.stdout.str())


NAMED = """
    import pytest

    @pytest.mark.parametrize("text", ["../ Ä very \\n strange/NAME " + "x" * 300, ""])
    def test_name(foas_world, text):
        print(f"<{foas_world.name}>")
    """


def test_a_test_has_a_world_of_the_same_name_in_every_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NAMED)
    first = names(pytester)
    assert len(set(first)) == 2
    assert all(re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", name) for name in first)
    assert names(pytester) == first


def test_sessions_that_share_a_server_have_worlds_of_their_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NAMED)
    with Emulator() as emulator:
        first, second = (names(pytester, f"--foas-url={emulator.url}") for _ in range(2))
        assert len({*first, *second}) == 4
        assert emulator.worlds() == ["default"]


def test_a_setup_that_is_interrupted_leaves_no_world_on_a_shared_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = World.create

    def create_and_interrupt(world: World) -> None:
        create(world)
        raise KeyboardInterrupt

    pytester.makepyfile("def test_it(foas_world): pass")
    with Emulator() as emulator:
        monkeypatch.setattr(World, "create", create_and_interrupt)
        with suppress(KeyboardInterrupt):  # which pytest raises again, having ended its session
            pytester.runpytest_inprocess(f"--foas-url={emulator.url}")
        assert emulator.worlds() == ["default"]


def test_an_end_that_is_interrupted_leaves_no_world_on_a_shared_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, dropped = World.drop, []

    def interrupt_once(world: World) -> None:
        dropped.append(world.name)
        if len(dropped) == 1:
            raise KeyboardInterrupt
        drop(world)

    pytester.makepyfile("def test_it(foas_world): pass")
    with Emulator() as emulator:
        monkeypatch.setattr(World, "drop", interrupt_once)
        with suppress(KeyboardInterrupt):
            pytester.runpytest_inprocess(f"--foas-url={emulator.url}")
        assert emulator.worlds() == ["default"]
    assert len(dropped) == 2


def test_the_token_of_a_shared_server_is_handed_on(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(foas_world): foas_world.reset()")
    with Emulator(control_token="secret") as emulator:
        url = f"--foas-url={emulator.url}"
        pytester.runpytest_inprocess(url, "--foas-control-token=secret").assert_outcomes(passed=1)
        refused = pytester.runpytest_inprocess(url)
        assert refused.ret == pytest.ExitCode.USAGE_ERROR
        refused.stderr.fnmatch_lines("*The control API requires its token. Give it as --foas-control-token, or in *")


def test_a_token_in_the_environment_is_that_of_both_kinds_of_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline sets it for every program."""
    pytester.makepyfile("def test_it(foas_world): foas_world.reset()")
    monkeypatch.setenv("FOASEMU_CONTROL_TOKEN", "secret")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    with Emulator(control_token="another") as emulator:
        url = f"--foas-url={emulator.url}"
        assert pytester.runpytest_inprocess(url).ret == pytest.ExitCode.USAGE_ERROR
        monkeypatch.setenv("FOASEMU_CONTROL_TOKEN", "another")
        pytester.runpytest_inprocess(url).assert_outcomes(passed=1)


def test_the_server_has_the_settings_that_a_suite_gives_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def foas_settings():
            return {"seed": ["empty"], "start_delay": "30s", "access_log": True}

        def test_it(foas_emulator, foas_world):
            assert foas_world.settings["start_delay"] == "30s"
            assert foas_world.snapshot()["tables"]["projects"] == []
            assert foas_emulator.info()["settings"]["access_log"] is True
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_wrong_setting_is_reported(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def foas_settings():
            return {"start_delai": "30s"}

        def test_it(foas_world): ...
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("E * there is no setting start_delai (the nearest is 'start_delay')*")
    result.stdout.no_fnmatch_line("*def get(self*")


@pytest.mark.parametrize("settings", ["None", "['empty']", "{1: 2}"])
def test_settings_that_are_none_are_told_with_what_is_expected(pytester: pytest.Pytester, settings: str) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def foas_settings():
            return {settings}

        def test_it(foas_world): ...
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    told = "foas_settings returns *: a dict of settings is expected, such as *, and {} for the defaults"
    result.stdout.fnmatch_lines(f"E *{told}")


FAILING = """
    import urllib.request

    def test_it(foas_world):
        url = foas_world.endpoint + "/api/v2/projects/project1/jobs/job1/instances/412536"
        with urllib.request.urlopen(urllib.request.Request(url, headers=foas_world.headers)) as answer:
            assert answer.status == 201
    """


def test_the_report_of_a_failed_test_shows_what_was_called_and_where_a_snapshot_is(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    output = result.stdout.str()
    assert re.search("-+ foas-emulator -+", output)
    assert '200 <- GetInstance {"projectName": "project1", "jobName": "job1", "instanceId": "412536"}' in output
    (file,) = re.findall(r"snapshot of world test-it-[0-9a-f]{8}: (\S+)", output)
    assert json.loads(Path(file).read_text("utf-8"))["snapshot_version"] == 1


def test_a_failed_test_that_called_nothing_is_told_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(foas_world): assert False")
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["it was not called, or its calls have not ended yet", "snapshot of world *"])


def test_tests_that_pass_or_have_no_world_report_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(foas_world): ...\n\ndef test_two(foas_emulator): assert False")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*snapshot of world*")


def test_a_server_that_is_gone_does_not_hide_the_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from foas_emulator.testing import Emulator

        @pytest.fixture
        def foas_emulator():
            with Emulator() as emulator:
                yield emulator

        @pytest.fixture(scope="session")
        def _foas_suffix():
            return ""

        def test_it(foas_emulator, foas_world):
            foas_emulator.__exit__()
            assert 1 == 2
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2", "world test-it-* cannot be asked any more:*"])


@pytest.mark.parametrize(
    ("name", "mock"),
    [
        ("http.client.HTTPConnection.connect", "lambda *_: 1 / 0"),
        ("http.client.HTTPConnection.connect", "lambda *_: pytest.fail('no network')"),
        ("http.client.HTTPConnection.connect", "lambda *_: pytest.skip('no network')"),
        ("http.client.HTTPConnection.getresponse", "MagicMock()"),
    ],
)
def test_mocks_that_are_still_in_place_do_not_hide_the_failure(pytester: pytest.Pytester, name: str, mock: str) -> None:
    """They are undone after the report is made."""
    pytester.makepyfile(
        f"""
        import pytest
        from unittest.mock import MagicMock

        def test_one(foas_world, monkeypatch):
            monkeypatch.setattr("{name}", {mock})
            assert 1 == 2

        def test_two(foas_world): ...
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2", "world test-one-* cannot be asked any more: *"])


def test_a_world_that_cannot_be_kept_does_not_hide_its_calls(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    pytester.path.joinpath("full").touch()
    result = pytester.runpytest_inprocess("--foas-artifacts=full")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["200 <- GetInstance *", "world test-it-* is not kept: *full*"])


def test_the_command_to_replay_a_failed_test_can_be_copied(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    output = pytester.runpytest_inprocess("--foas-artifacts=Müllers tests").stdout.str()
    (command,) = re.findall("foas-emulator replay (.*)", output)
    (folder,) = shlex.split(command)
    assert Path(folder, "journal.json").is_file()


@pytest.mark.parametrize("url", ["127.0.0.1:8018", "ftp://127.0.0.1:8018", "http://", "localhost"])
def test_an_address_that_is_none_is_refused_with_one_that_is(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not the address of a server: give one such as http://127\.0\.0\.1:8018"):
        Server(url)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://[::1]", ("::1", 80)),
        ("https://[fd00::abcd]", ("fd00::abcd", 443)),
        ("http://[::1]:8018", ("::1", 8018)),
        ("https://emulator.test", ("emulator.test", 443)),
    ],
)
def test_an_address_without_a_port_has_that_of_its_scheme(
    monkeypatch: pytest.MonkeyPatch, url: str, address: tuple[str, int]
) -> None:
    asked = []

    def connect(connection: HTTPConnection) -> None:
        asked.append((connection.host, connection.port))
        raise ConnectionRefusedError

    for kind in (HTTPConnection, HTTPSConnection):
        monkeypatch.setattr(kind, "connect", connect)
    with pytest.raises(ConnectionRefusedError):
        Server(url).worlds()
    with pytest.raises(ConnectionRefusedError):
        signed_get(f"{url}/api/v2/projects", access_key_id="test", secret="test")
    assert asked == [address, address]


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    program = "import sys, foas_emulator.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, encoding="utf-8"
    ).stdout.split()
    assert "pytest" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_the_plugin_loads_with_what_pytest_7_has() -> None:
    """It loads wherever the emulator is installed: if it could not, pytest would not even start."""
    newer = {"Dir", "Directory", "FixtureDef", "RaisesGroup", "TerminalReporter", "TestShortLogReport"}
    assert newer <= set(pytest.__all__)
    program = f"import pytest\nfor name in {newer}: delattr(pytest, name)\nimport foas_emulator.testing.plugin"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_session_that_uses_no_fixture_starts_no_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it():\n    import sys\n    assert 'foas_emulator.main' not in sys.modules")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_options_are_described(pytester: pytest.Pytester) -> None:
    help_ = pytester.runpytest_subprocess("--help").stdout.str()
    assert "--foas-url" in help_
    assert "--foas-control-token" in help_


WITHOUT_ENDPOINT = """
import json
import os
import subprocess
import sys

PROGRAM = '''
import json, os
from aliyunsdkcore.client import AcsClient
from aliyunsdkfoas.request.v20181111.GetInstanceRequest import GetInstanceRequest
key = os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
request = GetInstanceRequest()
request.set_projectName("project1")
request.set_jobName("job1")
request.set_instanceId("-1")
print(json.loads(AcsClient(*key, "cn-hangzhou").do_action_with_exception(request))["Instance"]["Id"])
'''


def test_in_this_process(foas_environment, capsys):
    exec(PROGRAM, {})
    assert capsys.readouterr().out == "412536\\n"
    assert foas_environment.journal.entries()[0]["operation"] == "GetInstance"


def test_in_a_child(foas_environment):
    assert subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, encoding="utf-8").stdout == "412536\\n"
    assert len(foas_environment.journal.entries()) == 1


def test_afterwards_it_is_gone():
    assert "world-" not in os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
"""


def test_a_program_that_names_no_endpoint_works_in_the_world_of_its_test(pytester: pytest.Pytester) -> None:
    # The SDK itself warns of what it uses; that is not what this is about.
    pytester.makeini("[pytest]\nfilterwarnings = ignore\n")
    pytester.makepyfile(WITHOUT_ENDPOINT)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_a_server_without_a_proxy_is_told_what_the_fixture_wants(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(foas_environment): pass")
    with Emulator() as emulator:
        result = pytester.runpytest_inprocess("--foas-url", emulator.url)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Start it with --intercept PORT*"])
