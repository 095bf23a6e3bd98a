"""The handles that tests hold on a server and its worlds."""

import errno
import gc
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.control.server_info import ServerInfo
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.serving.server import StartError
from foas_emulator.testing import Change, Emulator, EmulatorError, Server, World
from foas_emulator.world.settings import NAMES
from tests.process import environment

NEW_YEAR = 1_767_225_600_000
SEED = """
projects:
- Name: p
  jobs:
  - JobName: j
    instances:
    - Id: 900001
      timeline:
      - {after: 30s, ActualState: PAUSED}
      - {after: 60s, ActualState: FAILED}
"""


@pytest.fixture
def world(emulator: Emulator) -> World:
    return emulator.world()


@pytest.mark.parametrize("name", ["tests.test_it.Case.test_a", "Other", "", "a" * 65])
def test_a_name_that_no_world_can_have_is_refused_at_once(emulator: Emulator, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a world: use 1 to 64 of a-z, 0-9, _ and -"):
        emulator.world(name)


def status(world: World, path: str = "/api/v2/projects/project1/jobs/job1/instances/412536") -> int:
    request = urllib.request.Request(world.endpoint + path, headers=world.headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_world_without_a_name_is_one_that_nobody_has(emulator: Emulator) -> None:
    first, second = emulator.world(), emulator.world()
    assert first.name != second.name
    assert (first.access_key_id, first.access_key_secret) == (f"world-{first.name}", "test")
    assert repr(first) == f"<World {first.name} at {emulator.url}>"


def test_a_world_is_created_reset_and_dropped(emulator: Emulator, world: World) -> None:
    world.create({"seed": "empty"})
    assert world.name in emulator.worlds()
    world.seed({"projects": [{"Name": "p"}]})
    assert status(world, "/api/v2/projects/p") == 200
    world.reset()
    assert world.snapshot()["tables"]["projects"] == []
    world.drop()
    assert world.name not in emulator.worlds()


def test_a_world_that_was_never_called_is_cleaned_up_like_any_other(emulator: Emulator, world: World) -> None:
    world.journal.clear()
    world.faults.disarm()
    world.drop()
    assert world.name not in emulator.worlds()
    with pytest.raises(EmulatorError, match="There is no world") as raised:
        world.faults.disarm(1)
    assert raised.value.status == 404


@pytest.mark.parametrize("name", ["shop.yaml", "seeds/shop.json", "night-shift"])
def test_the_name_of_a_seed_is_not_taken_for_its_text(world: World, name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}' is not the text of a seed: give a file as a Path; create"):
        world.seed(name)


def test_a_hint_that_is_no_sentence_continues_the_error(world: World) -> None:
    with pytest.raises(
        EmulatorError,
        match=r"^The settings cannot be used: there is no setting 'start_dealy' \(the nearest is 'start_delay'\)\.",
    ):
        world.settings.update(start_dealy="30s")


def test_a_seed_is_a_mapping_a_text_or_a_file(world: World, tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("projects: [{Name: 文件}]", "utf-8")
    for seed in ({"projects": [{"Name": "mapping"}]}, "projects: [{Name: text}]", file):
        world.seed(seed)
    names = {project["name"] for project in world.snapshot()["tables"]["projects"]}
    assert {"mapping", "text", "文件"} < names


def test_a_snapshot_is_restored_and_saved_and_loaded(world: World, tmp_path: Path) -> None:
    before = world.snapshot()
    world.save(tmp_path / "world.json")
    world.settings["start_delay"] = "30s"
    world.restore(before)
    assert world.snapshot() == before
    world.settings["start_delay"] = "30s"
    world.load(tmp_path / "world.json")
    assert world.snapshot() == before


def test_a_fork_goes_its_own_way(world: World) -> None:
    world.settings["start_delay"] = "30s"
    fork = world.fork(f"{world.name}-fork")
    assert fork.snapshot() == world.snapshot()
    fork.settings["start_delay"] = "60s"
    assert world.settings["start_delay"] == "30s"


def test_settings_are_a_mapping(world: World) -> None:
    world.settings.update(start_delay="30s", not_running="answer")
    assert dict(world.settings)["start_delay"] == "30s"
    assert (tuple(world.settings), len(world.settings)) == (NAMES, len(NAMES))
    with pytest.raises(EmulatorError, match="allowed: fail, answer"):
        world.settings["not_running"] = "maybe"


def test_a_clock_is_frozen_and_advanced(world: World) -> None:
    clock = world.clock
    assert not clock.is_frozen
    clock.freeze("2026-01-01T00:00:00Z")
    assert (clock.is_frozen, clock.now) == (True, NEW_YEAR)
    world.seed(SEED)
    paused, failed = (Change(NEW_YEAR + after, "instance:900001 put_state") for after in (30_000, 60_000))
    assert clock.pending == [paused, failed]
    assert clock.advance("29s") == []
    assert clock.advance(1000) == [paused]
    assert clock.advance_to_next() == [failed]
    assert (clock.advance_until_idle(), clock.pending) == ([], [])
    clock.advance_to("2027-01-01")
    assert clock.now == NEW_YEAR + 365 * 86_400_000
    clock.run(NEW_YEAR)
    assert not clock.is_frozen
    assert clock.now < NEW_YEAR + 60_000
    clock.freeze()
    assert clock.is_frozen


def test_an_instance_is_put_into_a_state(world: World) -> None:
    assert status(world) == 200
    world.put_state("project1", "job1", 412536, "FAILED", last_error_message="lost")
    assert status(world) == 400
    with pytest.raises(EmulatorError, match="The specified job does not exist"):
        world.put_state("project1", "no job at all", 1, "FAILED")


def test_a_client_of_the_official_sdk_comes_to_its_world(world: World) -> None:
    request_module = pytest.importorskip("aliyunsdkfoas.request.v20181111.GetInstanceRequest")
    errors = pytest.importorskip("aliyunsdkcore.acs_exception.exceptions")
    request = request_module.GetInstanceRequest()
    request.set_projectName("project1")
    request.set_jobName("job1")
    request.set_instanceId("412536")
    assert b'"Id":412536' in world.client().do_action_with_exception(request)
    world.put_state("project1", "job1", 412536, "FAILED")
    with pytest.raises(errors.ServerException) as raised:
        world.client().do_action_with_exception(request)
    assert raised.value.get_error_code() == "InvalidInstance.NotRunning"


def test_a_client_without_the_official_sdk_says_what_is_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aliyunsdkcore", None)
    monkeypatch.delitem(sys.modules, "aliyunsdkcore.client", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"client\(\) needs the package aliyun-python-sdk-foas"):
        world.client()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_client_of_the_official_sdk_uses_no_proxy(
    variable: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = pytest.importorskip("aliyunsdkfoas.request.v20181111.ListProjectRequest").ListProjectRequest()
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert b'"project1"' in world.client().do_action_with_exception(request)


def test_all_worlds_are_reset_together(emulator: Emulator, world: World) -> None:
    world.settings["start_delay"] = "30s"
    emulator.reset()
    assert world.settings["start_delay"] == "0s"


def test_a_server_tells_about_itself(emulator: Emulator) -> None:
    assert emulator.info()["operations"]["count"] == len(OPERATIONS)


def test_an_emulator_takes_settings_as_its_command_does(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "seed": ["default", "empty"],
        "data_dir": tmp_path,
        "access_log": False,
        "batch_duration": None,
    }
    with Emulator(start_delay="30s", **given) as emulator:
        assert emulator.world("default").settings["start_delay"] == "30s"
    assert (tmp_path / "default.db").exists()


def test_durations_and_instants_of_python_are_taken(world: World) -> None:
    begin = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    world.clock.freeze(begin)
    assert world.clock.now == 1_767_225_600_000
    world.clock.advance(timedelta(minutes=4, seconds=59))
    assert world.clock.now == 1_767_225_899_000
    world.clock.advance("4m59s")
    assert world.clock.now == 1_767_226_198_000
    world.settings.update(start_delay=timedelta(milliseconds=1500))
    assert world.settings["start_delay"] == "1500ms"
    world.faults.arm({"latency": [timedelta(0), timedelta(milliseconds=5)]}, ttl=timedelta(minutes=1))
    with pytest.raises(ValueError, match="give it a time zone"):
        world.clock.advance_to(datetime(2027, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_settings_are_updated_as_a_dict_is(world: World) -> None:
    world.settings.update({"start_delay": "30s"}, stop_delay="2s")
    assert (world.settings["start_delay"], world.settings["stop_delay"]) == ("30s", "2s")


def test_an_emulator_knows_its_own_token() -> None:
    with Emulator(control_token="secret") as emulator:
        assert emulator.worlds() == ["default"]
        with pytest.raises(EmulatorError, match="requires its token"):
            Server(emulator.url).worlds()


def test_an_emulator_knows_a_token_that_the_environment_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOASEMU_CONTROL_TOKEN", "secret")
    with Emulator() as emulator:
        assert emulator.worlds() == ["default"]
        with pytest.raises(EmulatorError, match="requires its token"):
            Server(emulator.url).worlds()


def test_an_emulator_listens_on_the_port_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the environment is where a server runs already."""
    with Emulator() as first:
        port = int(first.url.rpartition(":")[2])
        monkeypatch.setenv("FOASEMU_PORT", str(port))
        with Emulator() as second, Emulator(port=None) as third:
            assert len({first.url, second.url, third.url}) == 3
        with pytest.raises(ValueError, match=f"port: cannot listen on 127.0.0.1:{port} "), Emulator(port=port):
            pass
    with Emulator(port=port) as third:
        assert third.url == first.url


@pytest.mark.parametrize("given", [{"host": "0.0.0.0"}, {"tls": True}, {"tls_port": 0}])
def test_an_emulator_refuses_what_it_cannot_do(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(ValueError, match=f"{name} is for foas-emulator serve"), Emulator(**given):
        pass


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "70000", "'--port'.*70000 is not in the range"),
        ("start_delay", "soon", "'--start-delay'.*'soon' is not a duration"),
        ("signature", "hard", "'--signature'.*'hard' is not one of"),
        ("start_delai", "1s", r"there is no setting (FOASEMU_)?start_delai \(the nearest is "),
    ],
)
def test_a_wrong_setting_is_named_whether_given_or_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    given: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"(?i){said}"), Emulator(**given):
        pass
    monkeypatch.setenv(f"FOASEMU_{name.upper()}", value)
    with pytest.raises(ValueError, match=f"(?i){said}"), Emulator():
        pass


@pytest.mark.parametrize("workers", ["", "4", "auto"])
def test_the_workers_of_another_server_do_not_concern_an_emulator(
    monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", workers)
    with Emulator() as emulator:
        assert emulator.worlds() == ["default"]


def test_an_emulator_that_was_never_entered_can_be_left() -> None:
    Emulator().__exit__(None, None, None)


@pytest.mark.parametrize("place", ["event_loop_runner", "Accompanied.startup"])
def test_an_emulator_that_cannot_start_says_why_at_once_and_keeps_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with Emulator() as first:
        port = int(first.url.rpartition(":")[2])
    with monkeypatch.context() as patch:
        patch.setattr(f"foas_emulator.testing.in_thread.{place}", fail)
        with pytest.raises(StartError, match=r"did not start: .*Too many open files"):
            Emulator(port=port, data_dir=tmp_path).__enter__()
    with Emulator(port=port, data_dir=tmp_path) as second:
        assert second.worlds() == ["default"]


@pytest.mark.parametrize("has_started", [False, True])
def test_an_emulator_whose_start_is_interrupted_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_started: bool
) -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert not has_started or super().wait(timeout)
            raise KeyboardInterrupt

    before = set(threading.enumerate())
    with monkeypatch.context() as patch:
        patch.setattr("foas_emulator.testing.in_thread.Event", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            Emulator(data_dir=tmp_path).__enter__()
    assert [thread for thread in set(threading.enumerate()) - before if thread.name == "foas-emulator"] == []
    with Emulator(data_dir=tmp_path) as second:
        assert second.worlds() == ["default"]


def test_an_emulator_that_is_interrupted_while_its_thread_starts_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(threading.Thread):
        def start(self) -> None:
            super().start()
            raise KeyboardInterrupt

    before = set(threading.enumerate())
    with monkeypatch.context() as patch:
        patch.setattr("foas_emulator.testing.in_thread.Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            Emulator(data_dir=tmp_path).__enter__()
    assert [thread for thread in set(threading.enumerate()) - before if thread.name == "foas-emulator"] == []


def test_an_emulator_that_is_interrupted_before_its_thread_runs_serves_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    late: list[threading.Thread] = []

    class Interrupted(threading.Thread):
        def start(self) -> None:
            late.append(self)
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("foas_emulator.testing.in_thread.Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            Emulator().__enter__()
    (thread,) = late
    threading.Thread.start(thread)
    thread.join(60)
    assert not thread.is_alive()
    assert caplog.messages == []


def test_an_emulator_that_is_interrupted_before_its_block_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    monkeypatch.setattr("foas_emulator.testing.server.Server.__init__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Emulator().__enter__()
    assert [thread for thread in set(threading.enumerate()) - before if thread.name == "foas-emulator"] == []


def test_an_emulator_whose_end_is_interrupted_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(threading.enumerate())
    emulator = Emulator(intercept=0).__enter__()
    (thread,) = (each for each in set(threading.enumerate()) - before if each.name == "foas-emulator")
    proxy = emulator.control.request("GET", "/interception")
    assert list(tmp_path.iterdir()) != []
    with monkeypatch.context() as patched:
        patched.setattr(thread, "join", interrupt)
        with pytest.raises(KeyboardInterrupt):
            emulator.__exit__()
    thread.join(60)
    assert not thread.is_alive()
    assert list(tmp_path.iterdir()) == []
    for port in (proxy["port"], *(proxy["node"][name] for name in ("plain", "secure"))):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)
    emulator.__exit__()  # once more, as an ExitStack or a fixture may


def test_nothing_is_kept_of_an_emulator_that_was_left() -> None:
    """FastAPI caches endpoints, which hold their application."""
    with Emulator() as emulator:
        emulator.world("alice").reset()
        (kept,) = [
            weakref.ref(each)
            for each in gc.get_objects()
            if isinstance(each, ServerInfo) and emulator.url in each.addresses
        ]
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_an_emulator_says_that_it_needs_threads_where_a_library_has_replaced_them(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_new_thread() -> None: ...

    start_new_thread.__module__ = f"{library}.thread"
    monkeypatch.setattr("_thread.start_new_thread", start_new_thread)
    with pytest.raises(StartError, match=f"{library} has replaced the threads of this process"):
        Emulator().__enter__()


FROZEN = """
import datetime, urllib.request

class Frozen(datetime.date, metaclass=type("FrozenType", (type,), {})):
    pass

datetime.date = Frozen
from foas_emulator.testing import Emulator

with Emulator() as emulator:
    emulator.world("default").faults.rules()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    print(opener.open(emulator.url + "/api/v2/projects").status, datetime.date is Frozen)
"""
"""As freezegun replaces the class: with one whose own class is another, of which no other can be derived."""


def test_an_emulator_is_begun_where_freezegun_has_replaced_dates() -> None:
    words = [sys.executable, "-c", FROZEN]
    ran = subprocess.run(words, capture_output=True, check=False, encoding="utf-8", env=environment(), timeout=60)
    assert (ran.stdout, ran.returncode) == ("200 True\n", 0), ran.stderr


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of something that answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "body", [b"<html>", b"[" * 100_000, b"[]", b'{"error": "e"}', b'{"error": 4, "hint": "h"}', b"\xff"]
)
def test_a_server_that_is_not_an_emulator_is_reported(body: bytes) -> None:
    page = b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    with answering(page) as url, pytest.raises(EmulatorError, match="Is this the address of a foas-emulator") as raised:
        Server(url).worlds()
    assert raised.value.status == 404
    assert raised.value.error == "It answers with status 404, unlike a control API."


def test_a_server_that_sends_elsewhere_is_reported() -> None:
    """One behind a proxy that wants https."""
    moved = b"HTTP/1.1 301 Moved\r\nlocation: https://emulator.test/\r\ncontent-length: 0\r\n\r\n"
    with answering(moved) as url, pytest.raises(EmulatorError, match=r"status 301.*Is this the address of a foas-emul"):
        Server(url).info()


def test_a_refusal_comes_whole_out_of_another_process(world: World) -> None:
    with pytest.raises(EmulatorError) as raised:
        world.faults.hits(7)
    unpickled = pickle.loads(pickle.dumps(raised.value))
    assert vars(unpickled) == vars(raised.value)
    assert str(unpickled) == str(raised.value)


def test_arguments_of_another_kind_are_refused_by_the_server(world: World) -> None:
    wrong: Any = "drop"
    wrong_step: Any = 5
    with pytest.raises(EmulatorError, match="effect: there is no such effect; an effect has one of error"):
        world.faults.arm(wrong)
    with pytest.raises(EmulatorError, match="in_order"):
        world.journal.assert_in_order([wrong, wrong_step])
    with pytest.raises(EmulatorError, match="has no request not an id"):
        world.journal.entry("not an id")
    with pytest.raises(EmulatorError, match=r"instance_id|valid integer"):
        world.put_state("project1", "job1", "the last", "FAILED")  # type: ignore[arg-type]


def test_a_server_that_speaks_no_http_is_reported() -> None:
    mail = answering(b"220 mail.example.org ESMTP\r\n")
    with mail as url, pytest.raises(ConnectionError, match="does not answer as an HTTP server does"):
        Server(url).worlds()


def test_a_server_that_is_not_there_is_reported() -> None:
    with Emulator() as emulator:
        url = emulator.url
    with pytest.raises(ConnectionRefusedError):
        Server(url).worlds()


def test_a_snapshot_is_saved_and_loaded_by_the_text_of_its_path(world: World, tmp_path: Path) -> None:
    world.seed(SEED)
    file = str(tmp_path / "state.json")
    world.save(file)
    before = world.snapshot()
    world.reset()
    assert world.snapshot() != before
    world.load(file)
    assert world.snapshot() == before


def test_an_emulator_is_used_in_its_block_and_by_one_at_a_time() -> None:
    emulator = Emulator()
    with pytest.raises(AttributeError, match="serves inside a `with` block"):
        emulator.world()
    with pytest.raises(AttributeError, match="serves inside a `with` block"):
        _ = emulator.url
    with emulator, pytest.raises(RuntimeError, match="serves already"):
        emulator.__enter__()
    with emulator:
        assert emulator.worlds() == ["default"]


def test_an_order_of_calls_may_be_made_as_it_is_read(world: World) -> None:
    calls: Any = (name for name in ("StartJob", "ListJob"))
    with pytest.raises(AssertionError, match="was not called as expected"):
        world.journal.assert_in_order(calls)
    none: Any = iter(())
    with pytest.raises(ValueError, match="name the operations"):
        world.journal.assert_in_order(none)


def test_an_order_of_no_calls_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="name the operations"):
        world.journal.assert_in_order([])


def test_a_seed_that_is_loaded_as_a_snapshot_is_reported_where_it_belongs(world: World, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("projects: [{Name: p}]", "utf-8")
    with pytest.raises(EmulatorError) as refused:
        world.load(tmp_path / "seed.yaml")
    assert refused.value.__notes__ == [
        "load() restores what save() has written; seed(Path(...)) merges a seed document."
    ]
