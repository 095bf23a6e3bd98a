"""The server as a process: how it starts, what it says, how it stops, and what it refuses."""

import json
import signal
import sqlite3
import ssl
from pathlib import Path

import pytest
from httpx import Client

from foas_emulator.certificates import make_certificate
from tests.process import run, serving
from tests.wire import INSTANCE, signed_v1

pytestmark = pytest.mark.xdist_group("server")


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


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_cleanly_though_a_connection_is_open(stop: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log=log) as emulator, emulator.client() as client:
        assert client.get(INSTANCE).status_code == 200
        # uvicorn stops cleanly and then lets the signal have its usual end.
        assert emulator.stop(stop) in (0, -stop)
    assert "Traceback" not in log.read_text("utf-8")


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
        assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr
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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seed", "no-such-seed"), "no-such-seed:1: document: it cannot be read"),
        (("--error-overrides", "no-such-file"), "error_overrides: no-such-file cannot be read"),
        (("--access-keys", "no-such-file"), "access_keys: an entry is neither ID:SECRET[:TOKEN] nor a file"),
        (("--tls-cert", "x"), "tls_cert and tls_key belong together"),
        (("--tls-cert", "x", "--tls-key", "y"), "x is no file that can be read"),
        (("--host", "host.invalid"), "host.invalid"),
    ],
)
def test_setting_that_cannot_be_met_refuses_to_start_and_is_named(options: tuple[str, ...], said: str) -> None:
    refused = run("serve", "--port", "0", *options)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


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
            with Client(verify=trusting, trust_env=False) as tls:
                answer = tls.get(secure.replace("127.0.0.1", host) + INSTANCE)
                assert answer.json()["Instance"] == client.get(INSTANCE).json()["Instance"]
        assert list(temporary.iterdir())
        assert emulator.stop() == 0
    assert "Traceback" not in log.read_text("utf-8")
    assert not list(temporary.iterdir())


def test_certificate_that_was_brought_is_served(tmp_path: Path) -> None:
    made = make_certificate("127.0.0.1", tmp_path)
    options = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key), "--tls-port", "0")
    with serving(*options, lines=2) as emulator, emulator.client() as client:
        secure = emulator.announcement[1].removeprefix("listening on ")
        trusting = ssl.create_default_context(cadata=made.authority.decode())
        with Client(verify=trusting, trust_env=False) as tls:
            assert tls.get(secure + INSTANCE).status_code == 200
        assert client.get("/_emulator/ca.pem").status_code == 404


def test_certificate_that_is_none_refuses_to_start(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.write_text("nothing of the kind", "utf-8")
    refused = run("serve", "--port", "0", "--tls-cert", str(file), "--tls-key", str(file), "--tls-port", "0")
    assert refused.returncode == 1
    assert "https cannot be served with this certificate and key" in refused.stderr
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


def test_binding_beyond_this_machine_is_warned_of(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("--host", "0.0.0.0", log=log) as emulator:
        emulator.stop()
    assert "test:test" in log.read_text("utf-8")
