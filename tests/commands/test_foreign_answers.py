"""Commands that reach another kind of server, or another version of the emulator, say so in one line."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from foas_emulator.cli import main
from foas_emulator.commands import NAMES
from foas_emulator.testing import Emulator, client
from foas_emulator.testing.client import ControlClient

NOWHERE = "http://127.0.0.1:1"
COMMANDS = (
    ("worlds",),
    ("worlds", "fork", "copy", "--world", "mine"),
    ("worlds", "drop", "--world", "mine"),
    ("reset", "--world", "mine"),
    ("reset", "--all"),
    ("scenario", "empty", "--world", "mine"),
    ("state", "project1", "job1", "412536", "PAUSED", "--world", "mine"),
    ("clock", "show", "--world", "mine"),
    ("clock", "freeze", "--world", "mine"),
    ("clock", "run", "--world", "mine"),
    ("clock", "advance", "--next", "--world", "mine"),
    ("fault", "list", "--world", "mine"),
    ("fault", "arm", "drop", "--world", "mine"),
    ("fault", "disarm", "--world", "mine"),
    ("journal", "--world", "mine"),
    ("snapshot", "save", "saved.json", "--world", "mine"),
    ("snapshot", "load", "loaded.json", "--world", "mine"),
    ("env", "--world", "mine"),
    ("run", "--world", "mine", "true"),
    ("healthcheck",),
)
FOREIGN = (b"{}", b"[]", b"[1]", b"3", b'{"worlds": 3}', b'{"worlds": ["default", 3]}', b"<html>", b"[" * 100_000)
VALUES: tuple[Any, ...] = (3, -(10**30), True, None, "text", [], ["text"], [[]], {}, {"a": 1})
OTHERS = ("healthcheck", "run", "snapshot")
"""They read nothing of an answer that the others do not, or ask in another way."""
NOT_ONES_OWN = "does not answer as a foas-emulator of this version does"


def test_every_command_that_asks_a_server_is_looked_at() -> None:
    assert {words[0] for words in COMMANDS} == {*NAMES} - {"replay"}  # which asks its own server


class Quiet(BaseHTTPRequestHandler):
    """Answers requests and logs none."""

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(handler: type[Quiet]) -> Iterator[str]:
    """Yield the address of a server whose requests this handler answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module", params=FOREIGN, ids=["{}", "[]", "[1]", "3", "number", "texts", "html", "deep"])
def foreign(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers every request alike, and is no emulator."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - as http.server wants it

    with served(Handler) as url:
        yield url


@pytest.fixture
def in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loaded.json").write_text("{}")


@pytest.mark.usefixtures("in_empty_directory")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_another_server_than_an_emulator_is_reported_in_a_line(words: tuple[str, ...], foreign: str) -> None:
    command, *rest = words
    result = CliRunner().invoke(main, [command, *_with_url(command, rest, foreign)], env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{foreign}: it {NOT_ONES_OWN}")


@pytest.mark.parametrize("command", ["healthcheck", "worlds"])
def test_no_command_follows_a_redirect_to_another_server(command: str) -> None:
    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("location", f"{emulator.url}/_emulator/health")
            self.end_headers()

    with Emulator() as emulator, served(Handler) as url:
        result = CliRunner().invoke(main, [command, "--url", url], env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stdout) == (1, "")
    assert "It answers with status 302" in result.stderr


def places(answer: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON document there is a value."""
    inner = answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ()
    return [place, *(found for part, each in inner for found in places(each, (*place, part)))]


def changed(answer: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of a JSON document that has another value in a place."""
    if not place:
        return value
    part, *rest = place
    copy = answer.copy()
    copy[part] = changed(answer[part], tuple(rest), value)
    return copy


@pytest.mark.usefixtures("in_empty_directory")
@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] not in OTHERS], ids=" ".join)
def test_an_answer_of_another_shape_ends_in_a_line_wherever_it_is_wrong(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer that a command gets is changed in every place that it has: to a value of each kind, one by one."""
    given, asked = answers_of(words, monkeypatch), 0
    for number, answer in enumerate(given):
        for place in places(answer):
            for value in VALUES:
                answers = [*given[:number], changed(answer, place, value), *given[number + 1 :]]
                monkeypatch.setattr(ControlClient, "_send", replaying(answers))
                result = CliRunner().invoke(main, [*words, "--url", NOWHERE], env={"FOASEMU_PORT": None})
                assert result.exception is None or isinstance(result.exception, SystemExit), (place, value)
                if result.exit_code != 0:
                    (line,) = result.stderr.splitlines()
                    assert (result.exit_code, result.stdout) == (1, "")
                    assert line.startswith(f"{NOWHERE}: "), line
                asked += 1
    assert asked or words == ("env", "--world", "mine")


def answers_of(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What an emulator answers a command, in the order of its requests."""
    answers: list[Any] = []
    send = ControlClient._send

    def noted(asking: ControlClient, *request: Any) -> bytes:
        answer = send(asking, *request)
        answers.append(json.loads(answer or b"null"))
        return answer

    with Emulator() as emulator, monkeypatch.context() as patched:
        world = emulator.world("mine")
        world.create()
        world.settings.update(batch_duration="1h")
        world.faults.arm({"drop": True}, times=1)
        world.save(Path("loaded.json"))
        patched.setattr(ControlClient, "_send", noted)
        result = CliRunner().invoke(main, [*words, "--url", emulator.url], env={"FOASEMU_PORT": None})
        assert result.exit_code == 0 or words[0] == "env", result.output
    return answers


def replaying(answers: list[Any]) -> Callable[..., bytes]:
    """A stand-in for a request that returns these answers, one after the other, and then the last again and again."""
    left = chain(answers, repeat(answers[-1]))

    def send(*_: Any) -> bytes:
        answer = next(left)
        return b"" if answer is None else json.dumps(answer).encode()

    return send


def _with_url(command: str, words: list[str], url: str) -> list[str]:
    """The words of a command with the server that it is to ask."""
    return ["--url", url, *words] if command == "run" else [*words, "--url", url]


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers every request with these bytes, and closes the connection."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            with suppress(OSError):  # who asks may leave before the end
                self.wfile.write(request.param)

    with served(Handler) as url:
        yield url


@pytest.mark.parametrize("command", ["worlds", "get"])
@pytest.mark.parametrize(
    "answering",
    [
        pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: %d\r\n\r\n{}" % (10**size), id=f"10**{size} bytes")
        for size in (12, 18, 30)
    ]
    + [pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n{}" % 10**30, id="chunk")],
    indirect=True,
)
def test_an_answer_that_is_shorter_than_announced_is_reported_as_that(command: str, answering: str) -> None:
    asked = ["--url", answering] if command == "worlds" else [f"{answering}/api/v2/projects"]
    result = CliRunner().invoke(main, [command, *asked], env={"FOASEMU_PORT": None})
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    (line,) = result.stderr.splitlines()
    assert "does not answer as an HTTP server does: IncompleteRead(" in line


@pytest.mark.parametrize("answering", [b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 2_000_000], indirect=True, ids=["long"])
def test_a_healthcheck_reads_no_more_than_the_health_of_an_emulator_may_have(answering: str) -> None:
    result = CliRunner().invoke(main, ["healthcheck", "--url", answering], env={"FOASEMU_PORT": None})
    (line,) = result.stderr.splitlines()
    assert line.endswith(": its answer is longer than 1048576 bytes")


@pytest.mark.parametrize("command", ["worlds", "get"])
@pytest.mark.parametrize("answering", [b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 200_000], indirect=True, ids=["long"])
def test_an_answer_without_end_is_not_read_on(command: str, answering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LONGEST_ANSWER", 100_000)
    asked = ["--url", answering] if command == "worlds" else [f"{answering}/api/v2/projects"]
    result = CliRunner().invoke(main, [command, *asked], env={"FOASEMU_PORT": None})
    (line,) = result.stderr.splitlines()
    assert line.endswith(": its answer is longer than 100000 bytes")


class OlderEmulator(Quiet):
    """Answers as an emulator of 0.1.0 does, which ignores query parameters that it does not know."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        answers: dict[str, Any] = {
            "settings": {"signature": "warn"},
            "clock": {"now": 0, "mode": "real", "offset_ms": 0, "pending": []},
            "journal": {"entries": [], "total": 0, "after": None, "lost": 0},
        }
        path = self.path.partition("?")[0].rpartition("/")[2]
        found = path in answers
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answers[path] if found else {"error": "Not Found.", "hint": "/docs"}).encode())


@pytest.mark.parametrize(
    "words", [("journal",), ("clock", "advance", "30s", "--dry-run"), ("clock", "freeze")], ids=" ".join
)
def test_an_older_server_is_recognised_before_it_changes_anything(words: tuple[str, ...]) -> None:
    with served(OlderEmulator) as url:  # which answers a POST and a PUT with 501
        result = CliRunner().invoke(main, [*words, "--url", url])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{url}: it {NOT_ONES_OWN}: ")


def test_what_an_older_server_does_not_have_is_reported_as_that() -> None:
    with served(OlderEmulator) as url:
        result = CliRunner().invoke(main, ["env", "--url", url])
    assert result.stderr == f"{url}: it is a foas-emulator of an older version, which cannot do this\n"
