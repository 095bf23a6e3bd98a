"""`foas-emulator run`: its environment, its status, its signals, and that nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from threading import Event

import pytest

from foas_emulator.commands.run import _Child, _each_once
from foas_emulator.testing import Emulator
from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.redirection import variables_for
from tests.process import command, environment, run

pytestmark = pytest.mark.xdist_group("run")

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(intercept=0, control_token="secret") as running:
        yield running


@pytest.mark.parametrize("status", [0, 1, 42])
def test_the_exit_status_is_the_commands(status: int) -> None:
    assert run("run", "--", sys.executable, "-c", f"raise SystemExit({status})").returncode == status


def test_a_command_that_is_not_there_or_cannot_be_run_has_the_status_of_shells(tmp_path: Path) -> None:
    missing = run("run", "--", "no-such-command")
    assert (missing.returncode, "there is no command no-such-command" in missing.stderr) == (127, True)
    plain = tmp_path / "plain"
    plain.write_text("no program", "utf-8")
    refused = run("run", "--", str(plain))
    assert (refused.returncode, f"{plain} cannot be run" in refused.stderr) == (126, True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no #!")
def test_a_command_that_cannot_be_run_says_why(tmp_path: Path) -> None:
    for name, text in (("lost", "#!/nowhere/interpreter\n"), ("bare", "echo\n")):
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o700)
    for given, told in {
        "": "Error: COMMAND is empty.",
        str(tmp_path): f"foas-emulator run: {tmp_path} cannot be run: it is a directory",
        str(tmp_path / "lost"): "the interpreter that it names, as after #! in its first line, does not exist",
        str(tmp_path / "bare"): "it is no program, nor a script with #! in its first line",
        "a\nb": "foas-emulator run: there is no command a\\nb",
    }.items():
        assert run("run", "--", given).stderr.strip().endswith(told)


def test_windows_has_no_two_variables_whose_names_differ_in_case_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "FOAS_ENDPOINT": "there"}
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        assert _each_once(given) == {"HTTP_PROXY": "http://127.0.0.1:1", "FOAS_ENDPOINT": "there"}
        patch.setattr(os, "name", "posix")
        assert _each_once(given) == given


@pytest.mark.skipif(sys.platform == "win32", reason="variables are text there")
def test_paths_that_are_no_text_stay_what_they_are_in_the_environment(emulator: Emulator) -> None:
    told = subprocess.run(
        [*command("env"), "--url", emulator.url],
        env={**environment({"FOASEMU_CONTROL_TOKEN": "secret"}), "PYTHONPATH": os.fsdecode(b"/tmp/\xff")},
        capture_output=True,
        check=True,
    )
    (line,) = [line for line in told.stdout.splitlines() if line.startswith(b"export PYTHONPATH=")]
    assert line.rstrip(b"'").endswith(b":/tmp/\xff")


def test_options_of_the_command_are_its_own() -> None:
    ran = run("run", "--", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--help", "--seed", "x")
    assert ran.stdout == "['--help', '--seed', 'x']\n"


def test_the_files_and_the_servers_own_environment_are_gone_afterwards(tmp_path: Path) -> None:
    ran = run("run", "--", sys.executable, "-c", PRINT_ENVIRONMENT, variables={"TMPDIR": str(tmp_path)})
    given = json.loads(ran.stdout)
    assert given["SSL_CERT_FILE"].startswith(str(tmp_path))
    assert given["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "world-run"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell's")
def test_a_program_that_is_left_behind_and_still_writes_changes_no_status(tmp_path: Path) -> None:
    """Such as one in the background that compiles the package certifi, which stands among the files of trust."""
    write = 'for i in $(seq 1000); do mkdir -p "$d/python/x$i"; done'
    wait = 'until [ -d "$d/python/x1" ]; do sleep 0.01; done'
    script = f'd=$(dirname "$SSL_CERT_FILE"); ({write}) > {tmp_path}/out 2>&1 & {wait}; exit 5'
    ran = run("run", "--", "sh", "-c", script, variables={"TMPDIR": str(tmp_path)})
    assert (ran.returncode, ran.stderr) == (5, "")


def test_settings_of_serve_are_its_options(tmp_path: Path) -> None:
    ask = (
        "import os, urllib.request as u;"
        "print(u.build_opener(u.ProxyHandler({})).open(os.environ['FOAS_ENDPOINT'] + '/api/v2/projects').read())"
    )
    ran = run("run", "--seed", "empty", "--", sys.executable, "-c", ask)
    assert "project1" not in ran.stdout
    assert "Projects" in ran.stdout
    refused = run("run", "--seed", str(tmp_path / "none"), "--", sys.executable)
    assert (refused.returncode, "there is no such file" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr


def test_a_server_that_runs_gives_a_world_that_ends_with_the_command(emulator: Emulator) -> None:
    arguments = ("run", "--url", emulator.url, "--control-token", "secret")
    get = "import os, urllib.request as u; u.urlopen('http://foas.aliyuncs.com/api/v2/projects').read();"
    before = emulator.worlds()
    ran = run(*arguments, "--", sys.executable, "-c", get + PRINT_ENVIRONMENT)
    assert json.loads(ran.stdout)["ALIBABA_CLOUD_ACCESS_KEY_ID"].startswith("world-run-")
    assert emulator.worlds() == before
    named = run(*arguments, "--world", "kept", "--", sys.executable, "-c", PRINT_ENVIRONMENT)
    assert json.loads(named.stdout)["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "world-kept"


@pytest.mark.skipif(sys.platform == "win32", reason="a directory for temporary files is a user's own there")
@pytest.mark.parametrize("mode", [0o755, 0o777, None])
def test_files_that_another_user_could_have_written_are_not_run(
    emulator: Emulator, mode: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, own, proxy = tmp_path / "theirs", tmp_path / "own", emulator.control.request("GET", "/interception")
    for directory in (theirs, own):
        directory.mkdir(mode=0o700)
    (theirs / "bundle.pem").touch()
    named = {**proxy, "files": str(theirs)}
    assert str(theirs) in variables_for(emulator, "w", {}, proxy=named)["PYTHONPATH"]
    if mode is None:
        monkeypatch.setattr(os, "getuid", lambda: -1)
    else:
        theirs.chmod(mode)
    assert str(theirs) not in str(variables_for(emulator, "w", {}, directory=own, proxy=named))
    for files in (named["files"], "/proc/1/root", "\0", "a" * 5000):
        with pytest.raises(EmulatorError, match="or not this user's alone"):
            variables_for(emulator, "w", {}, proxy={**proxy, "files": files})


def test_a_server_without_a_proxy_is_told_what_it_needs() -> None:
    with Emulator() as plain:
        refused = run("run", "--url", plain.url, "--", sys.executable)
    assert refused.returncode == 1
    assert "Start it with --intercept PORT" in refused.stderr


def test_settings_of_a_server_that_runs_already_are_refused(emulator: Emulator) -> None:
    refused = run("run", "--url", emulator.url, "--seed", "empty", "--", sys.executable)
    assert refused.returncode == 2
    assert "--seed is for a server that is started here" in refused.stderr


@pytest.mark.parametrize("where", [(), ("--url", "http://127.0.0.1:1")])
def test_a_name_that_no_world_can_have_is_refused_before_anything_starts(where: tuple[str, ...]) -> None:
    refused = run("run", *where, "--world", "Bad Name", "--", sys.executable, "-c", "print('ran')")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'Bad Name' cannot name a world" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_the_command_and_its_status_is_reported(number: signal.Signals) -> None:
    script = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with started("run", "--", sys.executable, "-c", script) as process:
        process.send_signal(number)
        assert process.wait(timeout=60) == 9


@pytest.mark.skipif(sys.platform == "win32", reason="there SIGTERM ends a process at once")
def test_a_signal_during_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    started = subprocess.Popen(
        command("run", "--", sys.executable, "-c", "import time; time.sleep(60)"),
        env=environment({"TMPDIR": str(tmp_path)}),
    )
    try:
        for _ in range(3000):
            if any(tmp_path.iterdir()):  # the server's files are written, and the command does not run yet
                break
            Event().wait(0.01)
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=60) == 128 + signal.SIGTERM
    finally:
        started.kill()
        started.wait()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there SIGINT cannot be sent to one process")
def test_an_interrupt_ends_it_also_where_the_server_never_answers() -> None:
    with create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        waiting = subprocess.Popen(command("run", "--url", url, "--", sys.executable, "-c", ""), env=environment())
        try:
            with mute.accept()[0]:
                waiting.send_signal(signal.SIGINT)
                assert waiting.wait(timeout=30) == 128 + signal.SIGINT
        finally:
            waiting.kill()
            waiting.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/tty")
def test_an_interrupt_that_was_typed_is_not_passed_on_also_where_standard_input_is_no_terminal() -> None:
    look = "from foas_emulator.commands.run import _is_from_terminal; print(_is_from_terminal())"
    script = f"import os; os.dup2(os.open(os.devnull, os.O_RDONLY), 0); {look}"
    in_terminal = f"import pty, sys; pty.spawn([sys.executable, '-c', {script!r}])"
    ran = subprocess.run([sys.executable, "-c", in_terminal], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert ran.stdout.split() == [b"True"]


@pytest.mark.skipif(sys.platform == "win32", reason="there os.kill ends a process")
def test_a_signal_that_may_not_be_passed_on_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_process: object, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(subprocess.Popen, "send_signal", refuse)
    child = _Child()
    interrupt = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); raise SystemExit(7)"
    with child.taking_signals():
        assert child.run([sys.executable, "-c", interrupt], environment({})) == 7


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself these signals there")
@pytest.mark.parametrize("ended", ["by a signal", "by its command"])
def test_no_further_signal_disturbs_the_end(ended: str) -> None:
    """As where Ctrl-C is pressed twice."""
    child = _Child()
    with child.taking_signals():
        if ended == "by a signal":
            with pytest.raises(SystemExit):
                os.kill(os.getpid(), signal.SIGTERM)
        else:
            child.run([sys.executable, "-c", ""], os.environ)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_command_that_a_signal_ends_has_the_status_of_shells() -> None:
    if sys.platform == "win32":
        pytest.skip("no signal ends a process there")
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run("run", "--", sys.executable, "-c", script).returncode == 128 + signal.SIGKILL


class started:  # noqa: N801 - reads as what it is
    """A command whose first line has been read; killed if it is left running."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def __enter__(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            command(*self._arguments), stdout=subprocess.PIPE, encoding="utf-8", env=environment()
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
