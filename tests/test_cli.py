"""The command line, in this process; what needs a server is in test_server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner, Result

from foas_emulator import __version__
from foas_emulator.cli import main
from foas_emulator.main import describe_api
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.settings import Settings, options
from tests.gateway.signature_vectors import ALL
from tests.process import Emulator, environment, run, serving


def call(*arguments: str, stdin: bytes | None = None, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, env={"FOASEMU_PORT": None, **variables})


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_is_reported(flag: str) -> None:
    assert call(flag).output == f"foas-emulator, version {__version__}\n"


def test_help_of_serve_tells_every_flag_and_variable_but_no_secret() -> None:
    told = call("serve", "--help").output
    for option in options():
        assert option.opts[0] in told
        assert str(option.envvar) in told


@pytest.mark.parametrize("group", ["", "clock", "fault", "seed", "snapshot", "worlds"])
def test_no_line_of_a_list_of_commands_is_cut(group: str) -> None:
    listed = call(*group.split(), "--help").stdout.split("Commands:")[1]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, "a\\u009bb\n"), (False, "a\x9bb\n")])
def test_a_terminal_gets_no_control_characters_of_an_answer(
    monkeypatch: pytest.MonkeyPatch, shown: str, *, is_terminal: bool
) -> None:
    monkeypatch.setattr("foas_emulator.commands.signed_get.signed_get", lambda *_, **__: (200, b"a\xc2\x9bb", None))
    standing_in = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: is_terminal), exit=sys.exit)
    monkeypatch.setattr("foas_emulator.cli.sys", standing_in)
    assert call("get", "http://127.0.0.1/").stdout == shown


def test_unknown_variable_refuses_to_serve() -> None:
    refused = call("serve", FOASEMU_SED="empty")
    assert refused.exit_code == 2
    assert "There is no setting FOASEMU_SED (the nearest is FOASEMU_SEED)." in refused.output


def test_good_seeds_are_told_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("projects: [{Name: a}]", "utf-8")
    checked = call("seed", "check", str(file), *BUILT_IN)
    assert (checked.exit_code, checked.stdout) == (0, "".join(f"{each}: ok\n" for each in (str(file), *BUILT_IN)))


@pytest.mark.parametrize("words", [("serve", "--help"), ("scenario", "--help")])
def test_every_built_in_seed_is_named_where_one_may_be_given(words: tuple[str, ...]) -> None:
    told = "".join(call(*words).stdout.split())
    assert all(name in told for name in BUILT_IN)


def test_every_fault_of_every_seed_is_reported(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.json"
    one.write_text("projects:\n  - Name: a\n    Nmae: b\n", "utf-8")
    two.write_text(json.dumps({"clusters": [{"ClusterId": "c", "slave_num": 1}]}, indent=1), "utf-8")
    checked = call("seed", "check", str(one), str(two), "default")
    assert (checked.exit_code, checked.stdout) == (1, "default: ok\n")
    assert checked.stderr.splitlines() == [
        f"{one}:3: projects[0].Nmae: there is no such member (the nearest is 'Name')",
        f"{two}:5: clusters[0].slave_num: Input should be greater than or equal to 2",
    ]


def test_a_seed_that_does_not_exist_is_reported_with_the_nearest(tmp_path: Path) -> None:
    checked = call("seed", "check", "night-shif", str(tmp_path))
    missing, without = checked.stderr.splitlines()
    assert missing.startswith("night-shif: there is no such file, and no built-in seed is called so (the nearest is ")
    assert without.startswith(f"{tmp_path}: the directory has no document")


def test_seed_check_wants_a_file() -> None:
    assert call("seed", "check").exit_code == 2


def test_openapi_is_written_to_standard_output_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    written = call("openapi", "--output", str(file))
    assert (written.exit_code, written.output) == (0, "")
    assert call("openapi").output == file.read_text("utf-8")
    assert yaml.safe_load(file.read_text("utf-8")) == describe_api()


def test_openapi_of_the_control_api_is_another_document() -> None:
    assert "/_emulator/worlds:" in call("openapi", "--control").output
    assert "/_emulator" not in call("openapi").output


def test_the_document_is_written_without_docstrings_too() -> None:
    """Some images set PYTHONOPTIMIZE=2 for all of their programs."""
    words = [sys.executable, "-OO", "-m", "foas_emulator", "openapi"]
    written = subprocess.run(words, capture_output=True, check=False, encoding="utf-8", env=environment(), timeout=60)
    assert (written.returncode, written.stderr) == (0, "")
    assert yaml.safe_load(written.stdout)["paths"].keys() == {operation.path for operation in OPERATIONS}


def test_healthcheck_is_well_where_a_server_is(emulator: Emulator) -> None:
    port = emulator.url.rpartition(":")[2]
    for arguments, variables in ((["--url", emulator.url], {}), (["--port", port], {}), ([], {"FOASEMU_PORT": port})):
        checked = call("healthcheck", *arguments, stdin=None, **variables)
        assert checked.exit_code == 0, checked.output
        assert json.loads(checked.output)["status"] == "ok"


def test_healthcheck_asks_no_proxy(emulator: Emulator) -> None:
    assert run("healthcheck", "--url", emulator.url, variables={"http_proxy": "http://127.0.0.1:1"}).returncode == 0


def test_healthcheck_is_unwell_where_something_else_answers(emulator: Emulator) -> None:
    checked = call("healthcheck", "--url", f"{emulator.url}/api/v2/projects")
    assert checked.exit_code == 1
    assert checked.stderr.endswith("Is this the address of a foas-emulator?\n")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://127.0.0.1:port", "nonsense", "http://", "file:///etc/hosts#"]
)
def test_healthcheck_is_unwell_where_none_is(url: str) -> None:
    checked = call("healthcheck", "--url", url)
    assert checked.exit_code == 1
    assert checked.stderr.startswith(f"{url.rstrip('/')}: ")


def raw(vector_id: str, **changed: str) -> bytes:
    """A vector's request as it was on the wire."""
    request = ALL[vector_id].request
    target = request.raw_path + (f"?{request.raw_query}" if request.raw_query else "")
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in {**request.headers, **changed}.items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def test_explain_passes_a_signature_that_fits(tmp_path: Path) -> None:
    file = tmp_path / "request"
    file.write_bytes(raw("v1-py-get"))
    explained = call("explain", str(file), "--secret", "testsecret")
    assert explained.exit_code == 0, explained.output


def test_explain_reads_standard_input_and_the_secret_from_the_environment() -> None:
    explained = call("explain", stdin=raw("v3-tea-get"), ALIBABA_CLOUD_ACCESS_KEY_SECRET="testsecret")
    assert explained.exit_code == 0, explained.output


def test_explain_names_what_differs(tmp_path: Path) -> None:
    signed = tmp_path / "signed"
    signed.write_text(ALL["v1-py-get"].signed_text, "utf-8")
    request = raw("v1-py-get", **{"x-acs-region-id": "cn-shanghai"})
    arguments = ("--secret", "testsecret", "--string-to-sign", str(signed))
    explained = call("explain", *arguments, stdin=request)
    assert explained.exit_code == 1
    assert "x-acs-region-id" in explained.output
    assert "'cn-shanghai'" in explained.output


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"", ""),
        ("GET / HTTP/1.1\r\n".encode("utf-16"), "the request: it is UTF-16, as Windows PowerShell writes it"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", "The request is anonymous: it has no signature in Authorization."),
        (b"GET / HTTP/1.1\r\nauthorization: Basic x\r\n\r\n", "its first word is neither acs nor ACS3-HMAC-SHA256"),
    ],
)
def test_explain_refuses_what_has_no_signature(request_: bytes, said: str) -> None:
    explained = call("explain", "--secret", "x", stdin=request_)
    assert explained.exit_code == 1
    assert said in explained.stderr
    assert "Traceback" not in explained.output


def test_module_is_the_command() -> None:
    assert run("--version").stdout == f"foas-emulator, version {__version__}\n"


def test_defaults_serve_on_the_documented_port() -> None:
    assert (Settings().host, Settings().port) == ("127.0.0.1", 8018)
