"""Whatever is wrong on the command line is told in one line that names the setting or the file."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from foas_emulator import logs
from foas_emulator.cli import main
from foas_emulator.commands.fault import read_effect
from foas_emulator.serving import uvicorn_servers
from tests.certificates import brought
from tests.process import SECONDS_TO_STOP, command, environment, run, serving

NOT_UTF_8 = b"\xff\xfe"
WRONG_FILES = {
    "bytes": NOT_UTF_8,
    "text": b"a: [",
    "list": b"- 1\n",
    "shape": b"InvalidJob.NotFound: 5\n",
    "status": b"InvalidJob.NotFound: {status: 200}\n",
    "deep": b"[" * 5000,
}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="such files and pipes are those of POSIX systems")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with a file for everything that may be wrong with one."""
    for name, content in WRONG_FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "directory").mkdir()
    return tmp_path


@pytest.fixture(autouse=True)
def nothing_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process, so none may come to serve, nor take the log of the tests."""

    def served(*_: object, **__: object) -> None:
        raise AssertionError("it serves")

    monkeypatch.setattr(uvicorn_servers.Accompanied, "serve", served)
    monkeypatch.setattr(logs, "configure", lambda **_: None)


def refusal(*arguments: str, **variables: str) -> str:
    """The one line with which a command refuses."""
    unset = dict.fromkeys(name for name in os.environ if name.startswith("FOASEMU_"))
    refused = CliRunner().invoke(main, arguments, env={**unset, **variables})
    assert isinstance(refused.exception, SystemExit), refused.exception
    assert refused.exit_code in (1, 2)
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data_dir", "text"),
        ("data_dir", "text/below"),
        ("data_dir", ""),
        pytest.param("data_dir", "/proc/x", marks=POSIX),
        ("error_overrides", "absent"),
        ("error_overrides", "directory"),
        *(("error_overrides", name) for name in WRONG_FILES),
        ("access_keys", "absent"),
        ("access_keys", "directory"),
        ("access_keys", "bytes"),
        ("access_keys", "text"),
        ("access_keys", ""),
        ("bearer_tokens", ""),
        ("seed", ""),
        ("host", ""),
        ("control_token", " "),
        ("control_hosts", "http://emulator.test/"),
        ("control_origins", "emulator.test"),
        ("control_origins", "http://emulator.test/"),
        ("cors_origins", "HTTP://emulator.test"),
        ("cors_origins", ""),
        ("tls_cert", "absent"),
        ("tls_cert", "directory"),
        ("tls_cert", "text"),
        ("host", "203.0.113.7"),
        ("host", "a..b"),
        ("host", "é" * 80),
        ("port", "70000"),
        ("start_delay", "9" * 400 + "d"),
        ("tls", "maybe"),
        ("intercept", "70000"),
        ("intercept_allow", "example.com"),
        ("latency", "soon"),
        ("error_rate", "101%"),
    ],
)
@pytest.mark.parametrize("way", ["flag", "variable"])
def test_wrong_setting_is_named_as_it_was_given(setting: str, value: str, way: str, files: Path) -> None:
    is_file = value and setting in ("data_dir", "error_overrides", "access_keys", "tls_cert")
    given = str(files / value) if is_file else value
    if (way == "variable" and not value) or (way == "flag" and setting == "tls"):
        return  # an empty variable is none, and a flag that is a switch has no value
    options = ["--tls-key", str(files / "text")] if setting == "tls_cert" else []
    if setting != "port":
        options += ["--port", "0"]
    flag, variable = "--" + setting.replace("_", "-"), "FOASEMU_" + setting.upper()
    if way == "flag":
        line = refusal("serve", *options, flag, given)
        assert flag in line
    else:
        line = refusal("serve", *options, **{variable: given})
        assert variable in line
    assert "codec" in line or str(files / value) in line or not is_file or setting == "access_keys"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FOASEMU_ERROR_OVERRIDES", "/nowhere", "FOASEMU_ERROR_OVERRIDES: /nowhere cannot be read"),
        ("FOASEMU_LATENCI", "1s", "Error: There is no setting FOASEMU_LATENCI (the nearest is FOASEMU_LATENCY)."),
    ],
)
def test_a_wrong_variable_is_named_by_a_command_that_has_no_such_flag(
    variable: str, value: str, said: str, tmp_path: Path
) -> None:
    for name, text in (("snapshot", "{}"), ("journal", '{"test": "t", "world": "w", "entries": []}')):
        (tmp_path / f"{name}.json").write_text(text, "utf-8")
    refused = run("replay", str(tmp_path), variables={variable: value})
    (line,) = refused.stderr.splitlines()
    assert (refused.returncode in (1, 2), refused.stdout) == (True, "")
    assert line.startswith(said)


def test_watch_without_a_file_is_named() -> None:
    assert refusal("serve", "--port", "0", "--watch").startswith("--watch: there is no file to watch")


@pytest.mark.parametrize("name", ["absent", "directory", "bytes", "text", "list"])
def test_seed_that_cannot_be_read_is_named(name: str, files: Path) -> None:
    file = str(files / name)
    for arguments in (("serve", "--port", "0", "--seed", file), ("seed", "check", file)):
        assert refusal(*arguments).startswith(f"{file}:")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is empty"), (b"hello" * 200, "file is not a database"), (None, "it is not a file")],
)
def test_world_file_that_is_broken_is_named_with_what_to_do(content: bytes | None, reason: str, tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)) as emulator:
        emulator.stop()
    for left in tmp_path.glob("default.db*"):
        left.unlink()
    if content is None:
        (tmp_path / "default.db").mkdir()
    else:
        (tmp_path / "default.db").write_bytes(content)
    line = refusal("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert line.startswith(f"--data-dir: {tmp_path / 'default.db'} cannot be used: {reason}; ")


@POSIX
def test_disk_that_is_full_names_the_directory(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    limited = [
        "sh",
        "-c",
        'ulimit -f 8; exec "$@"',
        "sh",
        *command("serve", "--port", "0", "--data-dir", str(tmp_path)),
    ]
    refused = subprocess.run(limited, capture_output=True, encoding="utf-8", env=environment(), timeout=60, check=False)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(
        f"--data-dir: {tmp_path / 'default.db'} cannot be used: File too large; make room on the disk"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@POSIX
def test_directory_with_a_lock_that_cannot_be_opened_names_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.symlink_to(tmp_path / "nowhere")
    line = refusal("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert line.startswith(f"--data-dir: worlds cannot be kept in {tmp_path}: {lock}: ")


def test_directory_that_is_a_file_is_named_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    line = refusal("serve", "--port", "0", "--data-dir", str(file))
    assert line == f"--data-dir: worlds cannot be kept in {file}: it is not a directory"


def test_directory_in_use_names_setting_and_directory(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)):
        line = refusal("serve", "--port", "0", FOASEMU_DATA_DIR=str(tmp_path))
        assert line.startswith(f"FOASEMU_DATA_DIR: {tmp_path} is in use by another foas-emulator.")


@pytest.mark.parametrize("setting", ["port", "tls_port"])
def test_port_that_is_taken_names_its_setting(setting: str) -> None:
    with serving() as emulator:
        taken = emulator.url.rpartition(":")[2]
        ports = {"FOASEMU_PORT": "0", "FOASEMU_TLS_PORT": "0", f"FOASEMU_{setting.upper()}": taken}
        line = refusal("serve", "--tls", **ports)
        assert line.startswith(f"FOASEMU_{setting.upper()}: cannot listen on 127.0.0.1:{taken} (")


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_certificate_in_another_encoding_is_named(tmp_path: Path, option: str) -> None:
    file, other = tmp_path / "utf16.pem", tmp_path / "other.pem"
    file.write_bytes("-----BEGIN".encode("utf-16"))
    other.write_bytes(b"-----BEGIN")
    files = {"--tls-cert": other, "--tls-key": other} | {option: file}
    line = refusal("serve", "--port", "0", *(str(each) for pair in files.items() for each in pair))
    assert line == f"{option}: {file} is UTF-16, as Windows PowerShell writes it; save it as ASCII"


def test_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    made = brought(tmp_path)
    key = serialization.load_pem_private_key(made.key.read_bytes(), None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL)
    made.key.write_bytes(key.private_bytes(*form, serialization.BestAvailableEncryption(b"password")))
    line = refusal("serve", "--port", "0", "--tls-cert", str(made.certificate), "--tls-key", str(made.key))
    assert "the key is encrypted" in line


@pytest.mark.parametrize("command", ["healthcheck --url {}", "worlds --url {}", "clock show --url {}", "get {}/"])
def test_server_that_does_not_run_is_reported_with_what_starts_one(command: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        line = refusal(*command.format(url).split())
    assert line.startswith(url)
    assert line.endswith(": connection refused; foas-emulator serve starts a server")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process")
@pytest.mark.parametrize("arguments", ["worlds --url {}", "snapshot save out.json --url {}", "get {}/"])
def test_command_that_is_interrupted_ends_as_in_shells(arguments: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        interrupted = subprocess.Popen(
            command(*arguments.format(url).split()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
            cwd=tmp_path,
        )
        connection, _ = silent.accept()  # it waits for an answer now
        with connection:
            interrupted.send_signal(signal.SIGINT)
            told = interrupted.communicate(timeout=SECONDS_TO_STOP)
    assert (interrupted.returncode, *told) == (130, "", "\nAborted!\n")
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_command_that_a_signal_ends_leaves_no_part_of_a_file(number: str, tmp_path: Path) -> None:
    code = f"""
import os, signal
from foas_emulator.cli import main
from foas_emulator.commands.fault import read_effect
os.fsync = lambda _: os.kill(os.getpid(), signal.{number})
main(["openapi", "-o", "out.yaml"])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        cwd=tmp_path,
        check=False,
    )
    told = "\nAborted!\n" if number == "SIGINT" else ""
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + getattr(signal, number), "", told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["healthcheck --url {}", "worlds --url {}", "clock show --url {}", "get {}/"])
def test_certificate_that_is_not_trusted_is_reported_with_where_it_is(command: str) -> None:
    with serving("--tls", "--tls-port", "0", lines=2) as emulator:
        line = refusal(*command.format(emulator.announcement[1].removeprefix("listening on ")).split())
    assert "certificate is not trusted" in line
    assert line.endswith("save its /_emulator/ca.pem, and name the file in SSL_CERT_FILE")


@pytest.mark.parametrize("command", ["healthcheck --url {}", "worlds --url {}", "clock show --url {}", "get {}/"])
def test_https_to_a_port_of_http_is_reported_with_what_to_use(command: str) -> None:
    with serving() as emulator:
        line = refusal(*command.format(emulator.url.replace("http:", "https:")).split())
    assert line.endswith(": this port has no https; use http://, or the https port of a server with --tls")


@pytest.mark.parametrize("place", ["text/below", "absent/below", "directory", ""])
def test_output_that_cannot_be_written_is_named(place: str, files: Path) -> None:
    target = str(files / place) if place else ""
    with serving() as emulator:
        for arguments in (("openapi", "-o", target), ("snapshot", "save", "--url", emulator.url, target)):
            line = refusal(*arguments)
            assert target in line
            assert emulator.url not in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_file_on_a_full_disk_is_named() -> None:
    with serving() as emulator:
        for arguments in (("openapi", "-o", "/dev/full"), ("snapshot", "save", "--url", emulator.url, "/dev/full")):
            assert refusal(*arguments).startswith("/dev/full: No space left on device")


@pytest.mark.skipif(sys.platform != "linux", reason="the system has no /proc/self/mem, of which no byte can be read")
def test_a_snapshot_that_a_disk_does_not_give_is_named() -> None:
    with serving() as emulator:
        line = refusal("snapshot", "load", "--url", emulator.url, "/proc/self/mem")
    assert line.startswith("/proc/self/mem: Input/output error")


def test_file_that_is_no_snapshot_is_refused_in_a_line(files: Path) -> None:
    with serving() as emulator:
        for name in ("bytes", "text", "list", "directory", "absent"):
            refusal("snapshot", "load", "--url", emulator.url, str(files / name))


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("serve", "--nonsense"),
        ("snapshot", "save", "x", "--url", "http://127.0.0.1:port"),
        ("snapshot", "save", "x", "--url", "nonsense"),
        ("healthcheck", "--port", "0x50"),
        ("explain", "absent", "--secret", "x"),
        ("get", "nonsense"),
        ("get", "http://127.0.0.1:port/"),
        ("get", "http://127.0.0.1:1/"),
    ],
)
def test_wrong_command_line_is_reported_in_a_line(arguments: tuple[str, ...]) -> None:
    refusal(*arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("clock", "advance", "-5s"), "No such option '-5'. Give -- before an argument that begins with a minus sign."),
        (("fault", "disarm", "-1"), "No such option '-1'. Give -- before an argument that begins with a minus sign."),
        (("worlds", "list"), "No such command 'list'. See main worlds --help."),
        (("reset", "demo"), "Got unexpected extra argument (demo). See main reset --help."),
        (("serve", "-p", "1"), "No such option '-p'. See main serve --help."),
        (("fault", "disarm", "--urk"), "No such option '--urk'. Did you mean '--url'?"),
        (("reset", "--url", "http://h:8941x"), "http://h:8941x: its port is not a number from 0 to 65535"),
        (("get", "http://h:99999/"), "http://h:99999/: its port is not a number from 0 to 65535"),
        (("serve", "--max-worlds", "x"), "'x' is not a valid integer"),
        (("worlds", "--port", "x"), "'x' is not a valid integer"),
        (("fault", "arm", "drop", "--times", "x"), "'x' is not a valid integer"),
        (("fault", "arm", "drop", "--probability", "nan"), "give a percentage such as 5%, or a number from 0 to 1"),
        (("journal", "--last", "x"), "'x' is not a valid integer"),
        (("journal", "--status", "2_00"), "'2_00' is not a valid integer"),
        (("fault", "disarm", "１"), "'１' is not a valid integer"),
        (("state", "project1", "job1", "+1", "FAILED"), "'+1' is not a valid integer"),
    ],
)
def test_wrong_number_is_reported_by_what_is_wrong_with_it(arguments: tuple[str, ...], told: str) -> None:
    assert refusal(*arguments).endswith(told)


def test_an_effect_with_a_number_that_is_too_long_is_refused_by_its_digits() -> None:
    with pytest.raises(click.UsageError, match=r"the number 1{40}\.\.\. has over 400 digits"):
        read_effect('{"latency": ' + "1" * 5000 + "}")


def test_text_that_was_signed_is_read_as_utf_8(files: Path) -> None:
    refused = refusal("explain", "-", "--secret", "x", "--string-to-sign", str(files / "bytes"))
    assert refused.startswith("--string-to-sign: ")


def test_what_an_encoding_cannot_spell_is_escaped_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "种子.yaml").write_text("projects: []\n", "utf-8")
    (tmp_path / "错误.yaml").write_text("projects: 5\n", "utf-8")
    variables = {"PYTHONIOENCODING": "cp1252"}
    good, bad = (run("seed", "check", str(tmp_path / name), variables=variables) for name in ("种子.yaml", "错误.yaml"))
    assert (good.returncode, bad.returncode) == (0, 1)
    assert good.stdout.endswith("\\u79cd\\u5b50.yaml: ok\n")
    assert "\\u9519\\u8bef.yaml:1: projects:" in bad.stderr


@POSIX
@pytest.mark.parametrize("arguments", ["openapi", "serve --help", "seed check default"])
def test_output_that_nobody_reads_ends_without_a_word(arguments: str) -> None:
    process = subprocess.Popen(
        command(*arguments.split()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


@POSIX
@pytest.mark.parametrize("arguments", ["openapi", "--help"])
def test_output_that_is_full_is_reported_in_a_line(arguments: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command(arguments), stdout=full, stderr=subprocess.PIPE, encoding="utf-8", env=environment(), check=False
        )
    assert (ended.returncode, ended.stderr) == (1, "standard output: No space left on device\n")


@POSIX
def test_output_that_becomes_full_is_told_whatever_buffers_it(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk; with PYTHONUNBUFFERED Python itself writes a part of a text."""
    limited = ["sh", "-c", f'ulimit -f 8; exec "$@" >{tmp_path / "document"}', "sh", *command("openapi")]
    variables = environment({"PYTHONUNBUFFERED": "1"})
    ended = subprocess.run(limited, stderr=subprocess.PIPE, encoding="utf-8", env=variables, check=False)
    assert (ended.returncode, ended.stderr) == (1, "standard output: File too large\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_output_that_is_full_is_no_fault_of_the_server() -> None:
    with serving() as emulator, Path("/dev/full").open("wb") as full:
        asked = command("worlds", "--url", emulator.url, "--json")
        ended = subprocess.run(
            asked, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", env=environment(), check=False
        )
    assert (ended.returncode, ended.stderr) == (1, "standard output: No space left on device\n")


@POSIX
def test_an_input_that_is_closed_holds_nothing() -> None:
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *command("explain", "--secret", "x")]
    ended = subprocess.run(closed, capture_output=True, encoding="utf-8", env=environment(), check=False)
    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, line) == (1, 'the request: the first line is not METHOD /PATH HTTP/1.1: ""')


@pytest.mark.parametrize("arguments", [("serve", "--tls"), ("serve", "--intercept=0"), ("run", "true")])
def test_a_machine_without_a_place_for_temporary_files_is_reported(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    def nowhere() -> list[str]:
        return ["/nowhere"]

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", nowhere)
    assert refusal(*arguments) == "No usable temporary directory found in ['/nowhere']: TMPDIR may name another"
