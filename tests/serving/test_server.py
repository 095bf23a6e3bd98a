"""The server as a process: how it starts, what it says, how it stops, and what it refuses."""

import asyncio
import errno
import json
import os
import shlex
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from httpx import Client, ConnectError

from foas_emulator.serving import listening
from foas_emulator.serving.listening import listen
from foas_emulator.serving.server import secrets_in
from foas_emulator.settings import SettingError
from tests.certificates import brought
from tests.process import DIRECTLY, command, environment, run, serving
from tests.wire import INSTANCE, signed_v1

pytestmark = pytest.mark.xdist_group("server")
PIPELINED = "/api/v2/projects/p/jobs/short"
POSIX = pytest.mark.skipif(os.name != "posix", reason="no file of Windows has a colon in its name")


def test_first_lines_say_where_it_listens_what_it_holds_and_what_to_try() -> None:
    with serving(lines=5) as emulator:
        first, holds, example, look, docs = emulator.announcement
        assert first.startswith("listening on http://127.0.0.1:")
        assert holds == "the default world holds 2 clusters, 2 projects, 12 jobs, 11 instances"
        assert example == f"try:  curl {emulator.url}{INSTANCE}"
        assert look == f"look: {emulator.url}/ in a browser"
        assert docs == f"docs: {emulator.url}/docs"
        with emulator.client() as client:
            assert client.get(example.rpartition(emulator.url)[2]).status_code == 200
            assert client.get(f"{emulator.url}/_emulator/health").json()["status"] == "ok"


def test_strict_server_says_a_call_that_works() -> None:
    with serving("--signature", "strict", lines=4) as emulator, emulator.client() as client:
        example = emulator.announcement[2]
        command, _, url = example.removeprefix("try:  ").rpartition(" ")
        assert (command, url) == ("foas-emulator get", f"{emulator.url}{INSTANCE}")
        assert client.get(INSTANCE).status_code == 400
        answer = run("get", url)
        assert (answer.returncode, json.loads(answer.stdout)["Instance"]["Id"]) == (0, 412536)
        assert run("get", url, "--secret", "wrong").returncode == 1
        real = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "real", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
        assert run("get", url, variables=real).returncode == 0
        refused = run("get", f"{emulator.url}/api/v2/projects/项目?a=b c")
        assert (refused.returncode, json.loads(refused.stdout)["Code"]) == (1, "InvalidProject.NotFound")
        assert refused.stderr == "World default has no project '项目'; ListProject shows those it has.\n"


def test_get_says_what_an_answer_warns_of() -> None:
    with serving() as emulator:
        answer = run("get", f"{emulator.url}{INSTANCE}", "--secret", "wrong")
    assert (answer.returncode, json.loads(answer.stdout)["Instance"]["Id"]) == (0, 412536)
    assert answer.stderr.startswith("signature=strict would refuse this with SignatureDoesNotMatch: ")


def test_info_tells_the_ports_that_were_taken() -> None:
    with serving("--tls", "--tls-port", "0", lines=2) as emulator, emulator.client() as client:
        urls = [line.removeprefix("listening on ") for line in emulator.announcement]
        info = client.get("/_emulator/info").json()
        assert info["listening"] == urls
        ports = [info["settings"][name] for name in ("port", "tls_port")]
        assert ports == [int(url.rpartition(":")[2]) for url in urls]


def test_what_it_holds_once_is_reported_as_one() -> None:
    with serving("--seed", "night-shift", lines=5) as emulator:
        assert emulator.announcement[1].startswith("the default world holds 1 cluster, 1 project, ")


def test_seed_beside_worlds_that_exist_says_that_it_concerns_new_ones(tmp_path: Path) -> None:
    log, worlds = tmp_path / "log", tmp_path / "worlds"
    options = ("--data-dir", str(worlds), "--seed", "empty")
    for expected in (False, True):
        with serving(*options, log=log) as emulator:
            emulator.stop()
        told = f"seed: it only concerns new worlds; those that {worlds} holds already stay as they are: default"
        assert (told in log.read_text("utf-8")) is expected


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_cleanly_though_a_connection_is_open(stop: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log=log) as emulator, emulator.client() as client:
        assert client.get(INSTANCE).status_code == 200
        # uvicorn stops cleanly and then lets the signal have its usual end.
        assert emulator.stop(stop) in (0, -stop)
    assert "Traceback" not in log.read_text("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself these signals there")
@pytest.mark.parametrize("made_of_it", [None, ValueError])
def test_further_signals_do_not_disturb_an_end_before_it_serves(made_of_it: type[Exception] | None) -> None:
    """As where a terminal is closed, or Ctrl-C is pressed twice."""
    script = (
        "import os, signal\n"
        "from foas_emulator.serving import server\n"
        "with server._ended_by_first_signal():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    except SystemExit:\n"
        "        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "            os.kill(os.getpid(), number)\n"
        "        print('removed', flush=True)\n"
        f"        raise {'' if made_of_it is None else made_of_it.__name__}\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + signal.SIGTERM, "removed\n", "")


def test_every_acknowledged_write_is_there_after_a_restart(tmp_path: Path) -> None:
    folders = "/api/v2/projects/demo/folders"
    with serving("--data-dir", str(tmp_path)) as emulator, emulator.client() as client:
        assert client.post(folders, data={"path": "/kept"}).status_code == 200
        emulator.stop()
    with serving("--data-dir", str(tmp_path)) as emulator, emulator.client() as client:
        assert client.get(folders, params={"path": "/kept"}).json()["Folder"]["Path"] == "/kept"


def test_port_that_is_taken_is_named() -> None:
    with serving() as emulator:
        port = emulator.url.rpartition(":")[2]
        refused = run("serve", "--port", port)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"--port: cannot listen on 127.0.0.1:{port} (")
        assert refused.stdout == ""


@pytest.mark.parametrize("workers", ["2", "0"])
def test_more_than_one_worker_is_refused_with_the_reason(workers: str) -> None:
    refused = run("serve", "--port", "0", variables={"WEB_CONCURRENCY": workers})
    assert refused.returncode == 1
    assert "every process has worlds of its own" in refused.stderr


def test_second_process_on_one_directory_is_refused(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)) as emulator, emulator.client() as client:
        refused = run("serve", "--port", "0", "--data-dir", str(tmp_path))
        assert refused.returncode == 1
        assert f"{tmp_path} is in use by another foas-emulator" in refused.stderr
        assert client.get(INSTANCE).status_code == 200


def test_file_of_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)) as emulator:
        emulator.stop()
    file = tmp_path / "default.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    refused = run("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert "has schema version 99" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("option", ["--seed", "--error-overrides", "--pact-states", "--access-keys"])
@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-16", "it is UTF-16, as Windows"), ("latin-1", "line 2 is not UTF-8")]
)
def test_file_in_another_encoding_refuses_to_start_and_is_named(
    tmp_path: Path, option: str, encoding: str, said: str
) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes("\n# Bücher".encode(encoding))
    refused = run("serve", "--port", "0", option, str(file))
    assert refused.returncode == 1
    assert f"{file}" in refused.stderr
    assert said in refused.stderr
    assert "save it as UTF-8" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seed", "no-such-seed"), "no-such-seed: there is no such file"),
        (("--error-overrides", "no-such-file"), "--error-overrides: no-such-file cannot be read"),
        (("--access-keys", "no-such-file"), "--access-keys: an entry is neither ID:SECRET[:TOKEN] nor a file"),
        (("--tls-cert", "x"), "--tls-cert: it belongs together with --tls-key"),
        (("--tls-key", "x"), "--tls-key: it belongs together with --tls-cert"),
        (("--tls-cert", "x", "--tls-key", "y"), "--tls-cert: x cannot be read"),
        (("--host", "host.invalid"), "host.invalid"),
    ],
)
def test_setting_that_cannot_be_met_refuses_to_start_and_is_named(options: tuple[str, ...], said: str) -> None:
    refused = run("serve", "--port", "0", *options)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FOASEMU_SEED", "no-such-seed", "FOASEMU_SEED: no-such-seed: there is no such file"),
        ("FOASEMU_TLS_KEY", "x", "FOASEMU_TLS_KEY: it belongs together with --tls-cert"),
    ],
)
def test_a_variable_that_cannot_be_met_is_named(name: str, value: str, said: str) -> None:
    refused = run("serve", "--port", "0", variables={name: value})
    assert refused.stderr.startswith(said)


def test_http_and_https_are_served_at_once_by_one_process_which_leaves_no_key_behind(tmp_path: Path) -> None:
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    variables = {"TMPDIR": str(temporary)}
    with (
        serving("--tls", "--tls-port", "0", log=log, lines=2, variables=variables) as emulator,
        emulator.client() as client,
    ):
        secure = emulator.announcement[1].removeprefix("listening on ")
        assert secure.startswith("https://127.0.0.1:")
        authority = client.get("/_emulator/ca.pem")
        assert authority.headers["content-type"] == "application/x-pem-file"
        trusting = ssl.create_default_context(cadata=authority.text)
        for host in ("127.0.0.1", "localhost"):
            with Client(verify=trusting, **DIRECTLY) as tls:
                answer = tls.get(secure.replace("127.0.0.1", host) + INSTANCE)
                assert answer.json()["Instance"] == client.get(INSTANCE).json()["Instance"]
        assert not list(temporary.iterdir()), "also a server that is killed leaves no key behind"
        assert emulator.stop() == 0
    assert "Traceback" not in log.read_text("utf-8")
    assert not list(temporary.iterdir())


def test_certificate_that_was_brought_is_served(tmp_path: Path) -> None:
    made = brought(tmp_path)
    options = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key), "--tls-port", "0")
    log = tmp_path / "log"
    with serving(*options, lines=2, log=log) as emulator, emulator.client() as client:
        secure = emulator.announcement[1].removeprefix("listening on ")
        trusting = ssl.create_default_context(cadata=made.root)
        with Client(verify=trusting, **DIRECTLY) as tls:
            answer = tls.get(secure + INSTANCE)
            assert (answer.status_code, answer.headers["keep-alive"]) == (200, "timeout=75")
        absent = client.get("/_emulator/ca.pem")
        assert (absent.status_code, "--tls" in absent.json()["hint"]) == (404, True)
    assert "other users can read" not in log.read_text("utf-8")


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_private_key_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    made, log = brought(tmp_path), tmp_path / "log"
    made.key.chmod(0o640)
    options = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key), "--tls-port", "0")
    with serving(*options, lines=2, log=log) as emulator:
        emulator.stop()
    assert f"tls_key: other users can read {made.key}" in log.read_text("utf-8")


def test_certificate_that_is_none_refuses_to_start(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.write_text("nothing of the kind", "utf-8")
    refused = run("serve", "--port", "0", "--tls-cert", str(file), "--tls-key", str(file), "--tls-port", "0")
    assert refused.returncode == 1
    assert "--tls-cert: https cannot be served with the certificate" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("format_", ["text", "json"])
def test_log_goes_to_standard_error_in_the_format_asked_for(format_: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("--access-log", "--log-format", format_, log=log) as emulator, emulator.client() as client:
        request_id = client.get(INSTANCE, headers=signed_v1(secret="wrong")).headers["x-acs-request-id"]
        emulator.stop()
    lines = log.read_text("utf-8").splitlines()
    (access,) = [line for line in lines if request_id in line]
    (warning,) = [line for line in lines if "SignatureDoesNotMatch" in line]
    if format_ == "json":
        entries = [json.loads(line) for line in lines]
        assert all({"time", "level", "logger", "message"} <= entry.keys() for entry in entries)
        entry = json.loads(access)
        assert (entry["request_id"], entry["operation"], entry["world"]) == (request_id, "GetInstance", "default")
        assert (entry["status"], entry["level"]) == (200, "info")
        assert json.loads(warning)["level"] == "warning"
    else:
        assert f"INFO foas_emulator.access: {request_id} GetInstance world=default GET {INSTANCE} 200" in access
        assert " WARNING " in warning


def test_variables_are_settings_and_a_flag_wins_over_its_variable() -> None:
    variables = {"FOASEMU_DEFAULT_FORMAT": "xml", "FOASEMU_NOT_RUNNING": "answer", "FOASEMU_SEED": "default empty"}
    with serving("--default-format", "json", variables=variables) as emulator, emulator.client() as client:
        answer = client.get("/api/v2/projects/demo/jobs/paused-stream/instances/-1")
        assert answer.json()["Instance"]["ActualState"] == "PAUSED"


def test_binding_beyond_this_machine_is_warned_of_and_what_to_try_can_be_reached(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("--host", "0.0.0.0", log=log, lines=5) as emulator:
        here = emulator.url.replace("0.0.0.0", "127.0.0.1")
        assert emulator.announcement[2:] == [
            f"try:  curl {here}{INSTANCE}",
            f"look: {here}/ in a browser",
            f"docs: {here}/docs",
        ]
        emulator.stop()
    assert "test:test" in log.read_text("utf-8")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
@pytest.mark.parametrize("stop", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_call_that_is_held_back_is_answered_when_the_server_stops(stop: str, tmp_path: Path) -> None:
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    options = ("--tls", "--tls-port", "0")
    with (
        serving(*options, log=log, lines=2, variables={"TMPDIR": str(temporary)}) as emulator,
        emulator.client() as client,
        ThreadPoolExecutor() as pool,
    ):
        fault = {"match": {"operation": "GetInstance"}, "effect": {"latency": "300s"}}
        assert client.post("/_emulator/worlds/default/faults", json=fault).status_code == 201
        expected = {"operation": "StartJob", "timeout": "300s"}
        held = [
            pool.submit(client.get, INSTANCE),
            pool.submit(client.post, "/_emulator/worlds/default/journal/verify", json=expected),
        ]
        while client.get("/_emulator/worlds/default/faults").json()["faults"][0]["hits"] == 0:
            pass
        assert emulator.stop(getattr(signal, stop)) == 0
        service, control = (future.result() for future in held)
    assert (service.status_code, service.json()["Code"]) == (503, "ServiceUnavailable")
    assert "being stopped" in service.headers["x-emulator-hint"]
    assert (control.status_code, control.json()["error"]) == (503, "The emulator is being stopped.")
    assert "Traceback" not in log.read_text("utf-8")
    assert not list(temporary.iterdir())


def test_a_second_interrupt_does_not_hurry_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log=log) as emulator, emulator.client() as client, ThreadPoolExecutor() as pool:
        fault = {"match": {"operation": "GetInstance"}, "effect": {"latency": "300s"}}
        assert client.post("/_emulator/worlds/default/faults", json=fault).status_code == 201
        held = pool.submit(client.get, INSTANCE)
        while client.get("/_emulator/worlds/default/faults").json()["faults"][0]["hits"] == 0:
            pass
        emulator.process.send_signal(signal.SIGINT)
        while "Waiting for connections to close" not in log.read_text("utf-8"):
            time.sleep(0.01)
        assert emulator.stop(signal.SIGINT) == 0
        assert held.result().status_code == 503
    assert "Application shutdown complete" in log.read_text("utf-8")
    assert "Traceback" not in log.read_text("utf-8")


@pytest.mark.parametrize("path", ["/_emulator/worlds/w/snapshot", "/_emulator/console/w/default/clock"])
def test_a_client_that_still_sends_its_body_is_answered_when_the_server_stops(path: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log=log) as emulator, emulator.client() as client:
        port = client.base_url.port
        head = (
            f"{'PUT' if path.endswith('snapshot') else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nExpect: 100-continue\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port or 0), 60) as sender:
            sender.sendall(head.encode())
            answer = sender.recv(1000)
            assert answer == b"HTTP/1.1 100 Continue\r\n\r\n", "now it waits for the body"
            assert emulator.stop() == 0
            while piece := sender.recv(10_000):
                answer += piece
    assert b"\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n" in answer
    assert b"The emulator is being stopped." in answer
    assert "Traceback" not in log.read_text("utf-8")


@pytest.mark.parametrize("path", ["/_emulator/worlds/w/snapshot", "/api/v2/projects/p/jobs/long", PIPELINED])
def test_a_client_that_has_read_a_part_of_its_answers_when_the_server_stops_leaves_no_error_of_it(
    path: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    jobs = [{"JobName": "long", "Code": "x" * 6_000_000}, {"JobName": "short", "Code": "x" * 250_000}]
    with serving(log=log) as emulator, emulator.client(timeout=60) as client:
        made = client.put("/_emulator/worlds/w", json={"seed": {"projects": [{"Name": "p", "jobs": jobs}]}})
        assert made.status_code == 201
        port = client.base_url.port
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-emulator-world: w\r\n\r\n"
        if path == PIPELINED:
            assert client.get(path, headers={"x-emulator-world": "w"}).status_code == 200, "now it is cached"
        with socket.create_connection(("127.0.0.1", port or 0), 60) as reader:
            reader.sendall(request.encode() * (64 if path == PIPELINED else 1))
            assert reader.recv(12) == b"HTTP/1.1 200"
            assert emulator.stop() == 0
    written = log.read_text("utf-8")
    assert "timeout graceful shutdown exceeded" in written, "it was still being sent"
    assert "ASGI callable" not in written
    assert "Traceback" not in written


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    reading, writing = os.pipe()
    with closing(os.fdopen(reading, "rb")), open_log(writing) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("listening on ")
        with Client(base_url=url, **DIRECTLY, headers={"x": "y" * 2000}) as client:
            for _ in range(700):  # more than a pipe holds
                assert client.get(f"{INSTANCE}?{'z' * 200}").status_code == 200
            if sys.platform == "win32":  # where not every Python can read what a pipe holds and no more
                return
            os.set_blocking(reading, False)
            while _drained(reading):
                pass
            assert client.get(INSTANCE).status_code == 200
            assert "log lines were dropped" in _drained(reading).decode()


def _drained(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except BlockingIOError:
        return b""


@contextmanager
def open_log(descriptor: int) -> Iterator[subprocess.Popen[str]]:
    """A server that logs every request into a pipe."""
    process = subprocess.Popen(
        command("serve", "--port", "0", "--access-log"),
        stdout=subprocess.PIPE,
        stderr=descriptor,
        encoding="utf-8",
        env=environment(),
    )
    os.close(descriptor)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def require_served(port: int) -> None:
    """Wait for a server that cannot say that it serves, and ask it for an instance."""
    for _ in range(600):
        with suppress(ConnectError), Client(**DIRECTLY) as client:
            assert client.get(f"http://127.0.0.1:{port}{INSTANCE}").status_code == 200
            return
        time.sleep(0.1)
    pytest.fail("it does not serve")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("redirect", [">&-", ">/dev/full", ">&- 2>&-"])
def test_a_standard_output_that_takes_nothing_does_not_end_it(redirect: str) -> None:
    (listener,) = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    words = shlex.join(command("serve", "--port", str(port)))
    process = subprocess.Popen(["sh", "-c", f"exec {words} {redirect}"], env=environment(), stderr=subprocess.DEVNULL)
    try:
        require_served(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()


def test_a_standard_output_that_nobody_has_read_for_long_does_not_hold_it_up() -> None:
    """The pipe is full before the server starts, as by the many servers that wrote into it before."""
    if sys.platform == "win32":
        pytest.skip("there, it cannot be known whether a pipe takes anything")
    (listener,) = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    process = subprocess.Popen(
        command("serve", "--port", str(port)), env=environment(), stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    try:
        require_served(port)
        process.send_signal(signal.SIGTERM)
        assert b"standard output takes nothing" in process.communicate(timeout=60)[1]
        assert process.returncode == 0
    finally:
        process.kill()
        os.close(reading)


def test_an_address_of_a_link_that_this_machine_does_not_have_is_blamed_on_the_host() -> None:
    with pytest.raises(SettingError) as refused:
        listen("fe80::1", 0)
    assert refused.value.setting == "host"


def test_localhost_is_both_families_on_one_port() -> None:
    sockets = listen("localhost", 0)
    try:
        assert len({each.getsockname()[1] for each in sockets}) == 1
        families = [each.family for each in sockets]
        assert families in ([socket.AF_INET], [socket.AF_INET, socket.AF_INET6])
        assert (len(families) == 2) == _has_ipv6()
    finally:
        for each in sockets:
            each.close()


def test_a_connection_sends_at_once_what_is_written_after_an_unconfirmed_part() -> None:
    """The loop of asyncio does not see to it for the sockets that it is given, uvloop does."""

    async def delayed() -> bool:
        found: asyncio.Queue[bool] = asyncio.Queue()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            await found.put(not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        (listener,) = listen("127.0.0.1", 0)
        async with await asyncio.start_server(accept, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await found.get()

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert not runner.run(delayed())


def test_localhost_is_one_family_where_the_system_has_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old(socket.socket):
        """A socket of a system that was started without IPv6."""

        def __init__(self, family: int = socket.AF_INET, *rest: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *rest)

    monkeypatch.setattr("foas_emulator.serving.listening.socket.socket", Old)
    (only,) = listen("localhost", 0)
    only.close()
    with pytest.raises(SettingError, match=r"host: cannot listen on '::1' \(Address family not supported"):
        listen("::1", 0)


def test_that_no_further_file_may_be_open_is_not_blamed_on_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("foas_emulator.serving.listening.socket.socket", refuse)
    with pytest.raises(SettingError, match=r"cannot listen on .*\(Too many open files\); allow more of them"):
        listen("127.0.0.1", 8018)


def test_localhost_takes_a_free_port_that_is_free_in_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, int]] = []

    def taken_twice(host: str, port: int, setting: str) -> socket.socket:
        tried.append((host, port))
        if host == "::1" and len(tried) < 6:
            raise SettingError(setting, "it is taken")
        return socket.create_server(("127.0.0.1", 0))

    monkeypatch.setattr(listening, "_listen", taken_twice)
    for each in listen("localhost", 0):
        each.close()
    assert [host for host, _ in tried] == ["127.0.0.1", "::1"] * 3
    tried.clear()
    with pytest.raises(SettingError, match="it is taken"):
        listen("localhost", 8018)
    assert len(tried) == 2


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_secret_on_the_command_line_is_warned_of_and_a_file_of_them_is_not(tmp_path: Path) -> None:
    assert secrets_in(["serve", "--access-keys", "a:b"]) == ["--access-keys"]
    assert secrets_in(["serve", "--access-keys=a:b", "--control-token", "x"]) == ["--access-keys", "--control-token"]
    assert secrets_in(["serve", "--access-keys", "keys.txt", "--seed", "a:b"]) == []
    assert secrets_in(["serve", "--access-keys", str(tmp_path / "a:b")]) == []
    log = tmp_path / "log"
    with serving("--access-keys", "id:hidden", log=log) as emulator:
        emulator.stop()
    text = log.read_text("utf-8")
    assert "--access-keys: everybody on this machine can see" in text
    assert "hidden" not in text


@pytest.mark.parametrize("name", ["keys", pytest.param("keys:all", marks=POSIX)])
def test_a_file_of_keys_may_have_a_colon_in_its_path_and_a_mark_that_it_is_utf_8(name: str, tmp_path: Path) -> None:
    keys = tmp_path / name
    keys.write_text("\ufeffme:secret\r\nyou:secret\r\n", "utf-8")
    keys.chmod(0o600)
    with serving("--signature", "strict", "--access-keys", str(keys)) as emulator:
        for key in ("me", "you"):
            asked = run("get", "--access-key-id", key, "--secret", "secret", f"{emulator.url}{INSTANCE}")
            assert asked.returncode == 0, asked.stdout


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_key_files_that_others_can_read_are_warned_of_and_data_files_are_the_owners_alone(tmp_path: Path) -> None:
    keys, log, data = tmp_path / "keys", tmp_path / "log", tmp_path / "data"
    keys.write_text("id:hidden\n", "utf-8")
    keys.chmod(0o644)
    with serving("--access-keys", str(keys), "--data-dir", str(data), log=log) as emulator:
        assert {path.stat().st_mode & 0o777 for path in data.iterdir()} == {0o600}
        emulator.stop()
    assert f"other users can read {keys}" in log.read_text("utf-8")
    keys.chmod(0o600)
    with serving("--access-keys", str(keys), log=log) as emulator:
        emulator.stop()
    assert "other users can read" not in log.read_text("utf-8")
