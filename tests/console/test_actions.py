"""What the forms do: each is one call, which curl could make too."""

import gc
import json
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from foas_emulator.console import comparison
from foas_emulator.console.calls import Call
from foas_emulator.control.errors import ControlError
from foas_emulator.world.snapshot import SnapshotError
from tests.api import open_api
from tests.console.conftest import CONSOLE, Console
from tests.machine_clock import MachineClock

JOB = "/api/v2/projects/demo/jobs"


def state(console: Console, job: str) -> str:
    answer = console.api.request("GET", f"{JOB}/{job}/instances/-1/runsummary").json()
    return str(answer["RunSummary"]["ActualState"])


def test_an_operation_is_called_as_a_user_and_stands_in_the_journal(console: Console) -> None:
    page = console.done(call=f"PUT {JOB}/running-stream/instances/-1/expectstate expectState=PAUSED")
    assert "expectState=PAUSED" in page, "the page shows the same call for curl"
    assert state(console, "running-stream") == "PAUSED"
    entries = console.api.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    assert (entries[0]["operation"], entries[0]["signature"]) == ("ModifyInstanceState", "valid")


def test_a_strict_world_serves_the_buttons_too(console: Console) -> None:
    console.done(method="PUT", target="/_emulator/worlds/default/settings", json__signature="strict")
    page = console.done(call=f"PUT {JOB}/draft/commit")
    assert "Done." in page


def test_what_the_service_refuses_is_shown_with_its_hint(console: Console) -> None:
    page = console.done(call=f"POST {JOB}/draft/instance")
    assert "InvalidJob.NotCommitted" in page
    assert 'role="alert"' in page
    assert page != console.page("/w/default/"), "it is shown once"
    assert "InvalidJob.NotCommitted" not in console.page("/w/default/faults").partition("<footer")[0]


@pytest.mark.parametrize("effect", ["drop", "reset"])
@pytest.mark.parametrize("at", ["before", "after_commit"])
def test_a_call_whose_connection_a_fault_ends_is_told_to_have_no_answer(console: Console, effect: str, at: str) -> None:
    rule = {"effect": {effect: True}, "at": at, "match": {"operation": "CommitJob"}}
    assert console.api.request("POST", "/_emulator/worlds/default/faults", content=json.dumps(rule)).status_code == 201
    page = console.done(call="PUT /api/v2/projects/demo/jobs/draft/commit")
    assert "The client got no byte: a fault rule ended the connection." in page
    job = console.api.request("GET", "/api/v2/projects/demo/jobs/draft").json()["Job"]
    assert job["IsCommitted"] is (at == "after_commit")


def test_a_stream_that_has_no_end_is_not_waited_for(console: Console) -> None:
    assert "Done." in console.done(call="GET /_emulator/worlds/default/events")


def test_what_is_typed_becomes_part_of_the_call(console: Console) -> None:
    console.done(method="PUT", target="/_emulator/worlds/{name}", path__name="mine", body='{"seed": "empty"}')
    assert "This world is empty." in console.page("/w/mine/")
    console.done(
        method="POST",
        target="/_emulator/worlds/default/faults",
        body='{"effect": {"latency": "1ms"}}',
        json__ttl="60s",
        **{"json:match.operation": "StartJob"},
    )
    (rule,) = console.api.request("GET", "/_emulator/worlds/default/faults").json()["faults"]
    assert rule["match"]["operation"] == "StartJob"
    assert rule["expires_at"]


def test_a_setting_is_taken_back_by_emptying_its_field(console: Console) -> None:
    settings = "/_emulator/worlds/default/settings"
    for value, shown in (("30s", "30s"), ("", None)):
        console.done(method="PUT", target=settings, nullable__batch_duration=value)
        assert console.api.request("GET", settings).json()["batch_duration"] == shown
    fields = re.findall(r'<input name="(\w+):(\w+)"[^>]* (required|placeholder)', console.page("/w/default/settings"))
    assert {name: kind for kind, name, word in fields if word != "required"} == {"batch_duration": "nullable"}
    assert len(fields) > 1, "the others have no value that means none"


def test_a_world_that_is_there_is_not_created_over(console: Console) -> None:
    console.api.request("PUT", "/_emulator/worlds/mine", content='{"seed": "empty"}')
    console.api.request("PUT", "/_emulator/worlds/mine/settings", content='{"start_delay": "7s"}')
    page = console.page("/w/default/worlds")
    assert page.count('name="is_new"') == page.count('name="path:name"') == 2
    create = {"method": "PUT", "target": "/_emulator/worlds/{name}", "is_new": "1"}
    assert "There is a world of this name already" in console.done(**create, path__name="mine")
    assert console.api.request("GET", "/_emulator/worlds/mine/settings").json()["start_delay"] == "7s"
    assert "There is a world of this name already" not in console.done(**create, path__name="other")


def test_a_created_world_is_shown(console: Console) -> None:
    """Or else what follows would be done in the one before."""
    fields = {"method": "PUT", "target": "/_emulator/worlds/{name}", "next": f"{CONSOLE}/w/{{name}}/worlds"}
    assert console.page("/w/default/worlds").count(f'name="next" value="{fields["next"]}"') == 2
    response = console.send(
        "POST", f"{CONSOLE}/w/default/call", data={"token": console.token(), "path:name": "mine", **fields}
    )
    assert response.headers["location"] == f"{CONSOLE}/w/mine/worlds"


@pytest.mark.parametrize("wrap", [{}, {"wrap": "1"}])
def test_a_snapshot_is_saved_and_loaded(console: Console, wrap: dict[str, str]) -> None:
    saved = console.get("/w/default/snapshot")
    assert saved.headers["content-disposition"] == 'attachment; filename="default.snapshot.json"'
    target = "/_emulator/worlds/copy" if wrap else "/_emulator/worlds/copy/snapshot"
    response = console.send(
        "POST",
        f"{CONSOLE}/w/default/call",
        data={"token": console.token(), "method": "PUT", "target": target, **wrap},
        files={"upload": ("world.json", saved.content)},
    )
    assert response.status_code == 303
    assert "Done." in console.page("/w/default/")
    snapshots = [
        console.api.request("GET", f"/_emulator/worlds/{name}/snapshot").json() for name in ("default", "copy")
    ]
    assert snapshots[0]["tables"]["jobs"] == snapshots[1]["tables"]["jobs"]
    assert "No difference." in console.page("/w/copy/compare") if wrap else True


def test_a_large_file_in_another_document_is_not_written_as_a_command(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command would not be shown, and to quote a hundred megabytes holds the loop for long."""
    written: list[Call] = []

    def curl(call: Call, base_url: str, *, with_token: bool) -> str:
        written.append(call)
        return f"curl {base_url}" if with_token else ""

    monkeypatch.setattr(Call, "curl", curl)
    for length in (10, 10_000):
        console.send(
            "POST",
            f"{CONSOLE}/w/default/call",
            data={"token": console.token(), "method": "PUT", "target": "/_emulator/worlds/copy", "wrap": "1"},
            files={"upload": ("world.yaml", b"#" * length + b"\nprojects: []\n")},
        )
    assert len(written) == 1


@pytest.mark.parametrize(("end", "told"), [("", "Done."), ("]", "The body is not JSON.")])
def test_a_large_snapshot_is_loaded_or_refused_as_a_small_one_is(console: Console, end: str, told: str) -> None:
    job = {"JobName": "large", "Code": "x" * 3_000_000}
    made = {"seed": {"projects": [{"Name": "shop", "jobs": [job]}]}}
    assert console.api.request("PUT", "/_emulator/worlds/large", content=json.dumps(made)).status_code == 201
    saved = console.api.request("GET", "/_emulator/worlds/large/snapshot").text
    response = console.send(
        "POST",
        f"{CONSOLE}/w/default/call",
        data={"token": console.token(), "method": "PUT", "target": "/_emulator/worlds/default/snapshot"},
        files={"upload": ("world.json", saved + end)},
    )
    assert response.status_code == 303
    assert told in console.page("/w/default/")
    projects = console.api.request("GET", "/api/v2/projects").json()["Projects"]["Project"]
    assert ([each["Name"] for each in projects] == ["shop"]) == (not end)


@pytest.mark.parametrize("wrap", [{}, {"wrap": "1"}])
@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("world.json", "\ufeff"),
        ("world.yaml", "---\n"),
        ("WORLD.YAML", "# in capitals\n"),
        ("world.yml", "\ufeff--- \r\n"),
        ("world.yml", "# of the night\r\n\n--- # now\n"),
        ("world.yml", "# of the night\n"),
        ("world.yml", "# of the night, from Windows\r\n" * 200),  # each line once doubled the time
        ("world.yml", "# of the night\r\n\r\n" * 100 + "---\r\n"),
    ],
)
def test_a_snapshot_is_loaded_however_its_file_begins(
    console: Console, name: str, begin: str, wrap: dict[str, str]
) -> None:
    saved = console.get("/w/default/snapshot").content
    target = "/_emulator/worlds/copy" if wrap else "/_emulator/worlds/copy/snapshot"
    console.send(
        "POST",
        f"{CONSOLE}/w/default/call",
        data={"token": console.token(), "method": "PUT", "target": target, **wrap},
        files={"upload": (name, begin.encode() + saved)},
    )
    assert "Done." in console.page("/w/default/")
    copy = console.api.request("GET", "/_emulator/worlds/copy/snapshot").json()
    assert copy["tables"]["jobs"] == json.loads(saved)["tables"]["jobs"]


@pytest.mark.parametrize("wrap", [{}, {"wrap": "1"}])
def test_a_file_in_another_encoding_is_refused_with_its_name(console: Console, wrap: dict[str, str]) -> None:
    console.send(
        "POST",
        f"{CONSOLE}/w/default/call",
        data={"token": console.token(), "method": "PUT", "target": "/_emulator/worlds/copy", **wrap},
        files={"upload": ("world.json", "{}".encode("utf-16"))},
    )
    assert "is UTF-16, as Windows PowerShell writes it" in console.page("/w/default/")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("seed.json", '{"projects": [{"Name": "shop", "ClusterId": "c"}], "clusters": [{"ClusterId": "c"}]}'),
        ("seed.yaml", "---\nclusters:\n  - ClusterId: c\nprojects:\n  - Name: shop\n    ClusterId: c\n"),
    ],
)
def test_a_world_is_created_from_a_seed_file_too(console: Console, name: str, text: str) -> None:
    fields = {"token": console.token(), "method": "PUT", "target": "/_emulator/worlds/copy", "wrap": "1"}
    console.send("POST", f"{CONSOLE}/w/default/call", data=fields, files={"upload": (name, text.encode())})
    assert "Done." in console.page("/w/default/")
    tables = console.api.request("GET", "/_emulator/worlds/copy/snapshot").json()["tables"]
    assert [each["name"] for each in tables["projects"]] == ["shop"]


@pytest.mark.parametrize("number", ["9" * 5000, "1e3", "-1", ""])
def test_a_number_that_is_not_valid_is_reported_in_few_words(console: Console, number: str) -> None:
    page = console.done(method="PUT", target="/_emulator/worlds/default/clock", number__now=number)
    assert ("This is not a whole number." in page) is bool(number)
    assert "digits" not in page


def test_a_file_that_is_no_snapshot_is_refused_with_the_reason(console: Console) -> None:
    console.send(
        "POST",
        f"{CONSOLE}/w/default/call",
        data={"token": console.token(), "method": "PUT", "target": "/_emulator/worlds/copy/snapshot"},
        files={"upload": ("world.json", b"{}")},
    )
    assert "The snapshot cannot be used." in console.page("/w/default/")


@pytest.mark.parametrize(
    "members",
    [
        {"call": "PUT https://example.com/"},
        {"call": "PUT /docs"},
        {"call": "TRACE /_emulator/worlds"},
        {"call": ""},
        {"method": "PUT", "target": "/_emulator/worlds/{name}"},
        {"call": "PUT /_emulator/worlds/default/settings {"},
        {"method": "POST", "target": "/_emulator/worlds/default/faults", "number__times": "many"},
        {"method": "PUT", "target": "/_emulator/worlds/{a}{a}{a}{a}", "path__a": "a" * 10_000},
    ],
)
def test_a_form_that_makes_no_call_says_so_and_changes_nothing(console: Console, members: dict[str, str]) -> None:
    before = console.get("/w/default/snapshot").text
    assert 'class="message bad"' in console.done(**members)
    assert console.get("/w/default/snapshot").text == before


@pytest.mark.parametrize("body", ["x" * 200_000, "&" * 200_000])
def test_a_long_field_is_refused(console: Console, body: str) -> None:
    before = console.api.world.store.revision
    for path in ("/w/default/call", "/w/default/scenario", "/w/default/compare", "/w/new/create"):
        told = console.post(path, method="POST", target="/api/v2/projects", body=body)
        assert told.status_code == 400
        assert "exceeded maximum size" in told.text
    assert console.api.world.store.revision is before


def test_a_call_of_many_parameters_is_refused(console: Console) -> None:
    assert "This call has too many parameters." in console.done(
        method="POST", target="/api/v2/projects", body="a&" * 2000
    )


@pytest.mark.parametrize("back", ["https://example.com/", "//example.com/", "/docs", "/_emulator/console/\r\nx: y", ""])
def test_nobody_is_led_to_another_site(console: Console, back: str) -> None:
    answer = console.post(call="POST /_emulator/worlds/default/reset", back=back)
    assert answer.headers["location"] == "/_emulator/console/"


def test_a_look_ahead_changes_nothing_and_tells_what_the_advance_does(console: Console) -> None:
    console.done(method="PUT", target="/_emulator/worlds/default/settings", json__start_delay="45s")
    console.done(call='PUT /_emulator/worlds/default/clock {"mode": "frozen"}')
    console.done(call=f"POST {JOB}/failed-stream/instance")
    assert state(console, "failed-stream") == "WAITING"
    before = console.get("/w/default/snapshot").text
    assert "demo/failed-stream becomes RUNNING" in console.page("/w/default/time?preview=next")
    assert console.get("/w/default/snapshot").text == before
    answer = console.api.request(
        "POST", "/_emulator/worlds/default/clock/advance", content=json.dumps({"until": "next"})
    )
    assert len(answer.json()["changes"]) == 1
    assert state(console, "failed-stream") == "RUNNING"


def test_rows_whose_names_join_to_the_same_text_are_told_apart(console: Console) -> None:
    for world, code in (("old", "1"), ("new", "2")):
        pairs = (("a / b", "c"), ("a", "b / c"))
        projects = [{"Name": name, "jobs": [{"JobName": job, "Code": code}]} for name, job in pairs]
        made = console.api.request(
            "PUT", f"/_emulator/worlds/{world}", content=json.dumps({"seed": {"projects": projects}})
        )
        assert made.status_code == 201, made.text
    page = console.page("/w/default/compare?left=old&right=new")
    assert re.search(r'<h2 id="t\d+">jobs <small[^>]*>~2</small>', page)


def test_a_comparison_tells_rows_and_members(console: Console) -> None:
    console.done(call=f"PUT {JOB}/running-stream/instances/-1/expectstate expectState=PAUSED")
    console.done(call=f"DELETE {JOB}/draft")
    page = console.page("/w/default/compare").partition("<main")[2]
    assert "actual_state" in page
    assert "demo / draft" in page
    assert "only on the left" in page


def test_a_comparison_takes_out_only_the_rows_that_it_shows(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def counted(row: Any) -> str:
        told.append(row)
        return "told"

    monkeypatch.setattr(comparison, "summary", counted)
    projects = [{"Name": f"p{number:03}"} for number in range(2 * comparison.MOST_ROWS)]
    console.api.request("PUT", "/_emulator/worlds/many", content=json.dumps({"seed": {"projects": projects}}))
    console.api.request("PUT", "/_emulator/worlds/none", content=json.dumps({"seed": {}}))
    page = console.page("/w/default/compare?left=none&right=many")
    assert re.search(r'<h2 id="t\d+">projects <small[^>]*><span[^>]*>\+100</span>', page)
    assert ("+ p000" in page, "+ p049" in page, "+ p050" in page) == (True, True, False), "the first, in order"
    assert len([row for row in told if "cluster_id" in row and "name" in row]) == comparison.MOST_ROWS


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"body": "[" * 40_000},
            "too deep" if sys.version_info < (3, 14) else "Expecting",
        ),  # then all that the stack holds
        ({"json__a": "1", "json__a.b": "2"}, "as a value and as an object"),
        ({"body": "{"}, "This is not JSON."),
        ({"body": "{"}, "Expecting"),
    ],
)
def test_a_form_that_makes_no_document_is_told_why(console: Console, fields: dict[str, str], message: str) -> None:
    page = console.done(method="PUT", target="/_emulator/worlds/default/settings", **fields)
    assert message in page


def compare(
    console: Console, *, token: str | None = None, left: str | bytes = "@created", right: str | bytes = "default"
) -> httpx.Response:
    """Compare two sides: worlds by their names, files by their bytes."""
    sides = {"left": left, "right": right}
    named = {name: side for name, side in sides.items() if isinstance(side, str)}
    files = {f"{name}_file": (f"{name}.json", side) for name, side in sides.items() if isinstance(side, bytes)}
    return console.send(
        "POST",
        f"{CONSOLE}/w/default/compare",
        data={"token": console.token() if token is None else token, **named},
        files=files or {"left_file": ("", b"")},
    )


def body(page: str) -> str:
    """The part of a page that is its own, without the frame."""
    return page.partition("<main")[2].partition("</main")[0]


@pytest.mark.parametrize("in_file", [False, True], ids=["in memory", "in a file"])
def test_time_alone_makes_no_difference_to_the_origin(
    machine_clock: MachineClock, tmp_path: Path, *, in_file: bool
) -> None:
    """The pending changes of a seed are told as far off as they were when the world began."""
    with open_api(seed=("night-shift",), data_dir=tmp_path if in_file else None) as api:
        machine_clock.let_pass(5_000)
        api.request("PUT", "/_emulator/worlds/later", content="{}")
        machine_clock.let_pass(7_000)
        assert "No difference." in Console(api).page("/w/later/compare")
    if in_file:
        with open_api(seed=("night-shift",), data_dir=tmp_path) as api:
            assert "No difference." in Console(api).page("/w/later/compare"), "nor once it is opened again"


def test_a_change_that_came_due_is_reported_as_it_was_planned(machine_clock: MachineClock) -> None:
    with open_api(seed=("night-shift",)) as api:
        console = Console(api)
        machine_clock.let_pass(5_000)
        api.request("PUT", "/_emulator/worlds/later", content="{}")
        planned = machine_clock.now + 30_000
        machine_clock.let_pass(60_000)
        page = console.page("/w/later/compare")
        assert f"at: {planned}, " in page
        machine_clock.let_pass(7_000)
        assert body(console.page("/w/later/compare")) == body(page)


def test_a_snapshot_of_before_shows_what_has_changed_since(console: Console) -> None:
    before = console.get("/w/default/snapshot").content
    assert "No difference." in compare(console, left=before).text
    console.done(call=f"PUT {JOB}/running-stream/instances/-1/expectstate expectState=PAUSED")
    page = compare(console, left=before).text
    assert "<code>left.json</code>" in page
    assert "actual_state" in page


def test_two_snapshots_are_compared_without_touching_a_world(console: Console) -> None:
    first = console.get("/w/default/snapshot").content
    console.done(call=f"DELETE {JOB}/draft")
    second = console.get("/w/default/snapshot").content
    console.done(call="POST /_emulator/worlds/default/reset")
    page = compare(console, left=second, right=first).text
    assert "+ demo / draft" in page
    assert console.api.request("GET", f"{JOB}/draft").status_code == 200


def test_two_worlds_are_compared_at_an_address_of_their_own(console: Console) -> None:
    console.done(method="PUT", target="/_emulator/worlds/{name}", path__name="other", body='{"seed": "empty"}')
    answer = compare(console, left="other", right="default")
    assert answer.status_code == 303
    page = console.page(answer.headers["location"].removeprefix(CONSOLE))
    assert "+ demo / draft" in page


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{}", "This file holds no snapshot of a world."),
        (b"{", "left.json: The body is not JSON."),
        (b"\xff", "UTF-8"),
        ("{}".encode("utf-16"), "left.json: The body is UTF-16, as Windows PowerShell writes it."),
    ],
)
def test_a_file_that_cannot_be_compared_is_refused_with_the_reason(console: Console, content: bytes, told: str) -> None:
    page = compare(console, left=content).text
    assert told in page
    assert "No difference." not in page


@pytest.mark.parametrize("right", [b"{}", b"{", "missing"])
def test_what_was_compared_does_not_stay_in_memory(console: Console, right: str | bytes) -> None:
    snapshot = console.api.request("GET", "/_emulator/worlds/default/snapshot").content
    compare(console, left=snapshot, right=right)  # what is made once is made
    gc.collect()
    gc.disable()
    try:
        compare(console, left=snapshot, right=right)
        kept = [each for each in gc.get_objects() if isinstance(each, comparison.Side | comparison.NoImageError)]
        causes = [each for each in gc.get_objects() if isinstance(each, ControlError | SnapshotError)]
    finally:
        gc.enable()
    assert not kept
    assert not [each for each in causes if each.__traceback__], "its frames hold what was read of a file"


def test_files_are_taken_from_our_own_pages_alone(console: Console) -> None:
    assert compare(console, token="wrong", left=b"{}").status_code == 403


def test_what_the_last_steps_brought_about_is_reported(console: Console) -> None:
    console.done(method="PUT", target="/_emulator/worlds/default/settings", json__start_delay="45s")
    console.done(call=f"POST {JOB}/failed-stream/instance")
    console.done(call='POST /_emulator/worlds/default/clock/advance?limit=100 {"by": "1m"}')
    page = console.page("/w/default/time")
    assert "Changes of the last advances" in page
    assert "demo/failed-stream becomes RUNNING" in page


@pytest.mark.parametrize("calls", [["POST {}/reset"], ["PUT {}"], ["DELETE {}", "PUT {}"]])
def test_a_world_with_new_contents_reports_no_steps_of_the_old_ones(console: Console, calls: list[str]) -> None:
    console.done(call='POST /_emulator/worlds/default/clock/advance?limit=100 {"by": "1m"}')
    assert "Changes of the last advances" in console.page("/w/default/time")
    for call in calls:
        console.api.request(*call.format("/_emulator/worlds/default").split(" "))
    assert "Changes of the last advances" not in console.page("/w/default/time")


def test_a_switch_shows_that_it_is_on(console: Console) -> None:
    console.done(
        method="POST",
        target="/_emulator/worlds/default/faults",
        body='{"effect": {"error": "Throttling.User"}, "times": 2}',
        **{"json:match.operation": "StartJob", "json:match.params.jobName": "orders*"},
    )
    page = console.page("/w/default/faults")
    assert 'aria-label="Switch off Throttle the next 2 calls"' in page
    assert "jobName=orders*" in page
    assert 'aria-label="Switch on: The service is down"' in page


def test_a_file_that_was_loaded_is_named_in_the_command_and_not_written_out(console: Console) -> None:
    console.send(
        "POST",
        f"{CONSOLE}/w/default/call",
        data={"token": console.token(), "method": "PUT", "target": "/_emulator/worlds/default/snapshot"},
        files={"upload": ("my world.json", console.get("/w/default/snapshot").content)},
    )
    page = console.page("/w/default/")
    assert "--data-binary &#39;@my world.json&#39;" in page
    assert "snapshot_version" not in page


@pytest.mark.parametrize("text", ["x", "错误", '"\n'])
def test_a_long_message_still_fits_into_a_cookie(console: Console, text: str) -> None:
    body = json.dumps({"match": {"operation": text * 3000}})
    answer = console.post(method="POST", target="/_emulator/worlds/default/faults", body=body)
    cookie = answer.headers["set-cookie"]
    assert len(cookie.partition(";")[0]) < 4000
    page = console.page("/w/default/")
    assert 'class="message bad"' in page
    assert "curl -X POST" not in page, "half of a command is none"
