"""What is shown to be copied runs as it stands: commands, programs, tests."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from foas_emulator.console import connecting, snippets
from foas_emulator.console.calls import Call
from foas_emulator.console.shell import shell_line
from foas_emulator.testing import Emulator
from tests.clients.builds import JAVA, built, do_without
from tests.process import DIRECTLY
from tests.running import control

pytestmark = pytest.mark.xdist_group("console-snippets")

NAME = '作业 1\'s "$HOME" `id` <b>'
SEED = {
    "seed": {"projects": [{"Name": "shop & sons", "jobs": [{"JobName": NAME, "Code": "SELECT 1;", "instances": [{}]}]}]}
}
ENVIRONMENT = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()} | {"NO_PROXY": "*"}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        control(running, "PUT", "/worlds/shop", SEED)
        yield running


def run(*command: str, cwd: Path | None = None, check: bool = True) -> str:
    for program in (command[0], "curl") if command[0] == "sh" else command[:1]:
        if shutil.which(program) is None:
            do_without(f"{program} is not installed")
    ran = subprocess.run(command, env=ENVIRONMENT, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    assert not check or ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def instance_id(emulator: Emulator) -> int:
    query = {"jobType": "FLINK_STREAM"}
    url = f"{emulator.url}/api/v2/projects/shop%20%26%20sons/instances"
    answer = httpx.get(url, params=query, headers={"x-emulator-world": "shop"}, **DIRECTLY)
    return int(answer.json()["Instances"]["Instance"][0]["Id"])


@pytest.mark.parametrize("of_instance", [False, True], ids=["a job", "an instance"])
@pytest.mark.parametrize("tool", ["curl", "Python", "Java"])
def test_a_job_and_an_instance_are_read(emulator: Emulator, tmp_path: Path, *, tool: str, of_instance: bool) -> None:
    number = instance_id(emulator)
    instance = number if of_instance else None
    text = snippets.reading(emulator.url, "shop", "shop & sons", NAME, instance)[tool]
    if tool == "curl":
        printed = run("sh", "-c", text)
    elif tool == "Python":
        printed = run(sys.executable, "-c", text)
    else:
        program = tmp_path / "Example.java"
        program.write_text(text, "utf-8")
        printed = run("java", "-cp", f"{built(JAVA) / 'jars'}/*", str(program))
    answer = json.loads(printed)
    read = answer["Instance"] if of_instance else answer["Job"]
    assert read["JobName"] == NAME
    assert not of_instance or read["Id"] == number


@pytest.mark.parametrize("name", [".", "..", "..."])
def test_a_job_whose_name_is_dots_is_read_with_curl(emulator: Emulator, name: str) -> None:
    control(emulator, "PUT", "/worlds/dots", {"seed": {"projects": [{"Name": "p", "jobs": [{"JobName": name}]}]}})
    text = snippets.reading(emulator.url, "dots", "p", name)["curl"]
    assert json.loads(run("sh", "-c", text))["Job"]["JobName"] == name


def test_a_world_that_wants_signatures_is_read_by_the_command_that_signs(emulator: Emulator) -> None:
    control(emulator, "PUT", "/worlds/strict", {})
    control(emulator, "PUT", "/worlds/strict/settings", {"signature": "strict"})
    ((tool, text),) = snippets.shell(emulator.url, "/api/v2/projects", "strict", is_strict=True).items()
    assert tool == "foas-emulator get"
    printed = run(sys.executable, "-m", "foas_emulator", *text.split()[1:])
    assert "Projects" in json.loads(printed)


def test_no_shell_runs_a_part_of_a_word() -> None:
    hostile = ["it's", "\\'\"; id; #", "\u2019; id; \u2018", "$(id)`id`!!%PATH%\n&id", "back\\", "", "plain-1"]
    line = shell_line(["printf", "%s,", *hostile])
    assert run("bash", "-c", line) == ",".join(hostile) + ","
    assert shlex.split(line) == ["printf", "%s,", *hostile]
    # fish reads a backslash in single quotes as an escape, and PowerShell these quotes as the end of the text.
    outside = re.sub(r"'[^'\\\u2018-\u201b]*'|\"(?:'|\\\\|[\u2018-\u201b])+\"", "", line)
    assert re.fullmatch("[a-z0-9%,1 -]*", outside)


@pytest.mark.parametrize("world", ["default", "mine"])
def test_the_lines_that_connect_lead_into_the_world(emulator: Emulator, world: str) -> None:
    control(emulator, "PUT", f"/worlds/{world}", {})
    lines = connecting.lines(emulator.url, world)
    assert "Projects" in json.loads(run("sh", "-c", lines["curl"]))
    request = (
        "from aliyunsdkfoas.request.v20181111.ListProjectRequest import ListProjectRequest\n"
        "print(client.do_action_with_exception(ListProjectRequest()).decode())"
    )
    assert "Projects" in json.loads(run(sys.executable, "-c", f"{lines['Python']}\n{request}"))
    made = control(emulator, "GET", f"/worlds/{world}/journal")["entries"]
    assert [entry["operation"] for entry in made] == ["ListProject", "ListProject"]


def test_the_lines_that_connect_to_https_say_so() -> None:
    lines = connecting.lines("https://127.0.0.1:8019", "default")
    assert "ProtocolType.HTTPS)" in lines["Java"]
    assert 'request.Scheme = "https"' in lines["Go"]


def test_a_world_that_wants_signatures_offers_no_command_that_it_refuses(emulator: Emulator) -> None:
    control(emulator, "PUT", "/worlds/calls", SEED)
    control(emulator, "PUT", "/worlds/calls/settings", {"signature": "strict"})
    console = f"{emulator.url}/_emulator/console/w/calls"
    empty = httpx.get(f"{console}/journal", **DIRECTLY).text
    assert 'data-copy="foas-emulator get --access-key-id world-calls ' in empty
    page = httpx.get(f"{console}/", **DIRECTLY).text
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    with httpx.Client(**DIRECTLY, follow_redirects=True) as client:
        fields = {"token": unescape(token), "call": "PUT /api/v2/projects/none/jobs/none/commit"}
        after = client.post(f"{console}/call", data={**fields, "back": "/_emulator/console/w/calls/"}).text
    assert "404 InvalidProject.NotFound" in after
    assert "curl" not in after
    run(
        sys.executable,
        "-m",
        "foas_emulator",
        "get",
        "--access-key-id",
        "world-calls",
        f"{emulator.url}/api/v2/projects",
    )
    get, commit = [entry["request_id"] for entry in entries(emulator)]
    if "commit" not in str(entries(emulator)[1]["path"]):
        get, commit = commit, get
    assert shown(emulator, commit).keys() == {"pytest"}
    offered = re.findall(
        r"foas-emulator get --access-key-id [^<]+", httpx.get(f"{console}/journal/{get}", **DIRECTLY).text
    )
    assert "Projects" in run(sys.executable, "-m", "foas_emulator", *offered[0].split()[1:])


CALLS: dict[str, tuple[str, str, dict[str, str] | bytes | None]] = {
    "a read": ("GET", "/projects/shop%20%26%20sons/jobs?pageSize=5&q=%27%24HOME", None),
    "a form": ("POST", "/projects/shop%20%26%20sons/jobs", {"jobName": 'it\'s "new" $HOME', "code": "-- 注释\n'`id`'"}),
    "a refusal": ("GET", "/projects/shop%20%26%20sons/jobs/none", None),
    "JSON that says no type": ("POST", "/projects/shop%20%26%20sons/jobs", b'{"jobName": "new", "code": "\\u00e9"}'),
    "line ends of all kinds": ("POST", "/projects/shop%20%26%20sons/jobs", b"\ncode=a\r\nb\rc\n&jobName=new"),
    "a read with a body": ("GET", "/projects/shop%20%26%20sons/jobs", b"pageSize=5"),
    "no operation": ("PUT", "/nothing", None),
    "dots in its path": ("GET", "/projects/./../%2e%2e/x", None),
}


def shown(emulator: Emulator, request_id: str) -> dict[str, str]:
    page = httpx.get(f"{emulator.url}/_emulator/console/w/calls/journal/{request_id}", **DIRECTLY).text
    found = re.findall(r'<pre tabindex="0" role="group" aria-label="(curl|Python|pytest)">(.*?)</pre>', page, re.DOTALL)
    assert not any("\r" in text for _, text in found), "a browser would make it a line feed"
    return {name: unescape(text).removeprefix("\n") for name, text in found}


def entries(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control(emulator, "GET", "/worlds/calls/journal")["entries"]
    return found


def body_of(sent: dict[str, str] | bytes | None) -> dict[str, Any]:
    return {"content": sent} if isinstance(sent, bytes) else {"data": sent}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("tool", ["curl", "Python"])
def test_a_call_is_made_once_more(emulator: Emulator, name: str, tool: str) -> None:
    control(emulator, "PUT", "/worlds/calls", SEED)
    control(emulator, "DELETE", "/worlds/calls/journal")
    method, path, form = CALLS[name]
    headers = {"x-emulator-world": "calls"}
    url = f"{emulator.url}/api/v2{path}"
    first = httpx.request(method, url, **body_of(form), headers=headers, **DIRECTLY)
    text = shown(emulator, first.json()["RequestId"])[tool]
    (before,) = entries(emulator)
    control(emulator, "PUT", "/worlds/calls", SEED)
    printed = run("sh", "-c", text) if tool == "curl" else run(sys.executable, "-c", text)
    assert str(first.status_code) in printed
    (again,) = entries(emulator)
    for member in ("method", "path", "operation", "status", "code", "parameters"):
        assert again[member] == before[member], member


@pytest.mark.parametrize(
    "request_",
    [
        b"GET http://[::1 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST /api/v2/projects HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n\xff\n",
        b"POST /api/v2/projects HTTP/1.1\r\nhost: localhost\r\ncontent-length: 90000\r\n\r\n" + b"x" * 90_000,
    ],
    ids=["no path", "no text", "a long body"],
)
def test_what_is_not_known_whole_is_not_made_once_more(emulator: Emulator, request_: bytes) -> None:
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port or 0)) as connection:
        connection.sendall(request_.replace(b"localhost\r\n", b"localhost\r\nx-emulator-world: calls\r\n"))
        answer = connection.recv(65536)
    found = re.search(rb"x-acs-request-id: ([0-9A-F-]{36})", answer)
    assert found, answer
    texts = shown(emulator, found[1].decode())
    assert texts.keys() == ({"pytest"} if b"projects" in request_ else set())


def test_a_long_parameter_is_left_out_of_what_calls_are_compared_with(emulator: Emulator) -> None:
    """The journal shows a part of it, which no call has."""
    control(emulator, "PUT", "/worlds/calls", SEED)
    form = {"code": "x" * 70_000, "planJson": "y" * 70_000, "jobName": "j" * 100, "folderId": "1"}
    headers = {"x-emulator-world": "calls"}
    made = httpx.post(f"{emulator.url}/api/v2/projects/none/jobs", data=form, headers=headers, **DIRECTLY)
    text = shown(emulator, made.json()["RequestId"])["pytest"]
    assert "params={'folderId': '1', 'projectName': 'none'}" in text
    (entry,) = entries(emulator)
    assert entry["parameters"]["jobName"] == "j" * 40 + "... of 100 characters"
    assert json.loads(snippets.fault(entry))["match"]["params"] == {"projectName": "none"}


@pytest.mark.parametrize(
    ("effect", "at", "arguments"),
    [
        ({"drop": True}, "after_commit", "{'drop': True}, operation='ListProject', after_commit=True, times=1"),
        ({"latency": ["1ms", "2ms"]}, "before", "{'latency': ['1ms', '2ms']}, operation='ListProject', times=1"),
        (
            {"rate_limit": {"calls": 1, "per": "1s"}},
            "before",
            "{'error': 'Throttling.User'}, operation='ListProject', times=1",
        ),
    ],
)
def test_a_copied_test_arms_the_faults_of_its_call(effect: dict[str, Any], at: str, arguments: str) -> None:
    faults = [{"id": 1, "effect": effect, "at": at}]
    text = snippets.pytest({"operation": "ListProject", "parameters": {}, "status": None, "faults": faults})
    assert f"\n    foas_world.faults.arm({arguments})\n" in text


def test_a_call_becomes_a_test_that_passes_where_it_is_made_and_fails_where_it_is_not(
    emulator: Emulator, tmp_path: Path
) -> None:
    method, path, form = CALLS["a form"]
    control(emulator, "PUT", "/worlds/calls", SEED)
    control(emulator, "POST", "/worlds/calls/faults", {"effect": {"status": 418, "code": "Teapot", "message": "it's"}})
    headers = {"x-emulator-world": "calls"}
    made = httpx.request(method, f"{emulator.url}/api/v2{path}", **body_of(form), headers=headers, **DIRECTLY)
    text = shown(emulator, made.json()["RequestId"])["pytest"]
    assert text.startswith("def test_create_job_is_called(foas_world):")
    assert "status=418" in text
    call = (
        "    import httpx\n"
        f"    httpx.post(foas_world.endpoint + {'/api/v2' + path!r}, data={form!r},"
        " headers=foas_world.headers, trust_env=False)\n"
    )
    text = text.replace("(foas_world):\n", f"(foas_world):\n    foas_world.create({SEED!r})\n")
    file = tmp_path / "test_copied.py"
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file))
    file.write_text(re.sub(r"^    \.\.\..*\n", lambda _: call, text, flags=re.MULTILINE), "utf-8")
    assert "1 passed" in run(*pytest_, cwd=tmp_path)
    file.write_text(text, "utf-8")
    assert "1 failed" in run(*pytest_, cwd=tmp_path, check=False)


@pytest.mark.parametrize(
    "request_",
    [{"content": key + "\nid\n"} for key in ("\0", "\x03", "\x1b[201~", "/etc/hostn\t; id #")]
    + [{"headers": {"x-extra": "/etc/hostn\t; id #"}}],
    ids=["a zero byte", "the key that ends a line", "the end of a paste", "the key that completes", "one in a header"],
)
def test_a_call_that_cannot_be_pasted_is_made_once_more_by_a_program(
    emulator: Emulator, request_: dict[str, Any]
) -> None:
    control(emulator, "PUT", "/worlds/calls", SEED)
    headers = {"x-emulator-world": "calls"} | request_.pop("headers", {})
    made = httpx.post(f"{emulator.url}/api/v2/projects", headers=headers, **request_, **DIRECTLY)
    texts = shown(emulator, made.json()["RequestId"])
    assert texts.keys() == {"Python", "pytest"}
    assert made.json()["Code"] in run(sys.executable, "-c", texts["Python"])
    paths = [f"/worlds/calls/journal/{entry['request_id']}" for entry in entries(emulator)]
    again, first = (control(emulator, "GET", path)["request"] for path in paths)
    assert again["body"] == first["body"]
    assert again["headers"].get("x-extra") == first["headers"].get("x-extra")


@pytest.mark.parametrize("key", ["\x7f", "\x03", "\x1b", "/etc/hostn\t'"])
def test_no_command_is_offered_that_a_terminal_takes_for_keys(key: str) -> None:
    call = Call(method="PUT", target="/_emulator/worlds/a", body=f"{key * 99}; id #".encode())
    assert not call.curl("http://127.0.0.1:8018")
    named = Call(method="PUT", target="/_emulator/worlds/a", body=b"{}", file=f"{key * 99}; id #.json")
    assert not named.curl("http://127.0.0.1:8018")
