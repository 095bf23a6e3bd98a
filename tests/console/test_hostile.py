"""Whatever a program sends, the pages show it as text."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from foas_emulator.console import job, messages
from foas_emulator.console.seed_text import seed_text
from tests.console.conftest import CONSOLE, Console

EVIL = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "'><svg onload=alert(1)>",
    "{{ 7 * 7 }}<b>",
    "</pre></textarea><script>alert(1)</script>",
]


class Tags(HTMLParser):
    """Counts what a page must not have: scripts of its own, handlers, images from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if any(name.startswith("on") for name in named) or (tag == "script" and "src" not in named):
            self.found.append(tag)
        if tag in ("img", "script") and not (named.get("src") or "").startswith("/_emulator/console/static/"):
            self.found.append(tag)


def hostile_world(evil: str) -> dict[str, object]:
    instance = {"ActualState": "FAILED", "LastErrorMessage": evil, "Starter": evil}
    made = {"JobName": "job", "Code": evil, "Description": evil, "Properties": evil, "instances": [instance]}
    return {"seed": {"projects": [{"Name": "shop", "Description": evil, "jobs": [made]}]}}


@pytest.mark.parametrize("evil", EVIL)
def test_names_messages_codes_bodies_and_headers_are_escaped_everywhere(console: Console, evil: str) -> None:
    api = console.api
    made = api.request("PUT", "/_emulator/worlds/default", content=json.dumps(hostile_world(evil)))
    assert made.status_code == 200, made.text
    sent = api.request(
        "POST",
        "/api/v2/projects/shop/jobs",
        data={"jobName": evil, "code": evil, evil: evil},
        headers={"x-extra": evil, "user-agent": evil},
    )
    refused = api.request("GET", "/api/v2/" + evil.replace("/", "").replace(" ", "%20"))
    fault = {"match": {"operation": "StartJob", "params": {"jobName": evil}}, "effect": {"status": 500, "code": evil}}
    assert api.request("POST", "/_emulator/worlds/default/faults", content=json.dumps(fault)).status_code == 201
    number = api.request("GET", "/api/v2/projects/shop/instances?jobType=FLINK_STREAM").json()
    instance = number["Instances"]["Instance"][0]["Id"]
    missing = f"job?project={evil}&job={evil}"
    for path in (
        "",
        f"?text={evil}&state={evil}&project={evil}",
        "job?project=shop&job=job",
        "job?project=shop&job=job&tab=properties",
        "job?project=shop&job=job&tab=copy",
        "job?project=shop&job=job&tab=instances",
        missing,
        f"instance?project=shop&job=job&id={instance}",
        "journal",
        f"journal?text={evil}&only={evil}&code={evil}",
        f"journal/{sent.json()['RequestId']}",
        f"journal/{refused.json()['RequestId']}",
        f"faults?operation={evil}",
        f"time?preview={evil}",
        f"compare?left={evil}&right={evil}",
        "compare",
        "coverage",
        "settings",
        "worlds",
        f"scenarios?show={evil}",
    ):
        tags = Tags()
        tags.feed(console.page("/w/default/" + path.replace("&amp;", "&"), status=404 if path == missing else 200))
        assert not tags.found, path


@pytest.mark.parametrize("evil", EVIL)
def test_the_name_and_the_rows_of_a_snapshot_are_escaped(console: Console, evil: str) -> None:
    console.api.request("PUT", "/_emulator/worlds/default", content=json.dumps(hostile_world(evil)))
    snapshot = console.get("/w/default/snapshot").content
    console.api.request("PUT", "/_emulator/worlds/default", content="{}")
    for content in (snapshot, evil.encode()):
        answer = console.send(
            "POST",
            f"{CONSOLE}/w/default/compare",
            data={"token": console.token(), "right": "default"},
            files={"left_file": (evil, content)},
        )
        assert answer.status_code == 200
        tags = Tags()
        tags.feed(answer.text)
        assert not tags.found


@pytest.mark.parametrize("plan", ["[" * 50_000, '{"a":' * 50_000], ids=["lists", "objects"])
def test_a_plan_that_is_nested_too_deep_to_be_read_is_shown_as_it_is(console: Console, plan: str) -> None:
    seed = {"seed": {"projects": [{"Name": "p", "jobs": [{"JobName": "deep", "PlanJson": plan}]}]}}
    made = console.api.request("PUT", "/_emulator/worlds/default", content=json.dumps(seed))
    assert made.status_code == 200, made.text
    assert plan[:1000].replace('"', "&#34;") in console.page("/w/default/job?project=p&job=deep&tab=plan")


HALF = '{"ok": true, "title": "\\ud800", "hint": "", "curl": ""}'


@pytest.mark.parametrize(
    "forged",
    [
        "[" * 20_000,
        '{"ok": {}, "title": {"a": 1}, "hint": [1], "curl": 5}',
        '{"ok": 1, "title": null}',
        "[]",
        "5",
        HALF,
    ],
    ids=["deep", "other types", "missing", "list", "number", "half of a surrogate pair"],
)
def test_a_message_that_is_none_of_ours_is_not_shown(console: Console, forged: str) -> None:
    cookie = messages.sealed(urlsafe_b64encode(forged.encode()).decode())
    assert 'class="message' not in console.page("/w/default/", cookie=f"foas_emulator_message={cookie}")


def test_a_message_is_shown_that_this_server_made_and_no_planted_one(console: Console) -> None:
    members = {"ok": True, "title": "", "hint": "", "curl": "id"}
    text = urlsafe_b64encode(json.dumps(members).encode()).decode()
    shown = {
        seal: 'class="message' in console.page("/w/default/", cookie=f"foas_emulator_message={text}{seal}")
        for seal in ("", ".", ".0", messages.sealed(text).removeprefix(text))
    }
    assert list(shown.values()) == [False, False, False, True]


def test_a_job_with_long_texts_is_shown_and_offered_as_no_seed(console: Console) -> None:
    jobs = [{"JobName": name, "Code": "a b " * count} for name, count in (("short", 10), ("long", 60_000))]
    seed = {"seed": {"projects": [{"Name": "p", "jobs": jobs}]}}
    assert console.api.request("PUT", "/_emulator/worlds/default", content=json.dumps(seed)).status_code == 200
    pages = {name: console.page(f"/w/default/job?project=p&job={name}&tab=copy") for name in ("short", "long")}
    assert {name: 'aria-label="seed"' in page for name, page in pages.items()} == {"short": True, "long": False}
    assert all('aria-label="curl"' in page for page in pages.values())


@pytest.mark.parametrize("path", ["job?project=p&job=j&tab=copy", "instance?project=p&job=j&id=5"])
def test_a_seed_is_written_beside_the_event_loop(console: Console, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    seed = {"projects": [{"Name": "p", "jobs": [{"JobName": "j", "Code": "x", "instances": [{"Id": 5}]}]}]}
    console.api.request("PUT", "/_emulator/worlds/default", content=json.dumps({"seed": seed}))
    loops: list[bool] = []

    def write(document: Mapping[str, Any]) -> str:
        loops.append(asyncio._get_running_loop() is not None)
        return seed_text(document)

    monkeypatch.setattr(job, "seed_text", write)
    assert "JobName: j" in console.page(f"/w/default/{path}")
    assert loops == [False]


def test_a_name_written_from_right_to_left_turns_no_line_around_it(console: Console) -> None:
    name = "\u05d0\u05d1\u05d2 1"
    instance = {"Id": 7, "ActualState": "FAILED", "LastErrorMessage": name}
    seed = {"projects": [{"Name": name, "jobs": [{"JobName": name, "instances": [instance]}]}]}
    api = console.api
    assert api.request("PUT", "/_emulator/worlds/default", json={"seed": seed}).status_code == 200
    api.call("GetJob", projectName=name, jobName=name)
    (entry,) = api.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    places = urlencode({"project": name, "job": name})
    footer = console.page("/w/default/").partition("<footer")[2]
    assert f"<bdi>{name}/{name}</bdi>" in footer, footer
    for path, shown in (
        ("/w/default/", f"<bdi>{name}</bdi> <small"),
        ("/w/default/", f"<bdi>{name}</bdi>/<bdi>{name}</bdi>"),
        (f"/w/default/job?{places}", f"<h1><bdi>{name}</bdi> "),
        (f"/w/default/job?{places}", f"<bdi>{name}</bdi></a> /</p>"),
        (f"/w/default/instance?{places}&id=7", f"<bdi>{name}</bdi></a> / <a"),
        (f"/w/default/instance?{places}&id=7", f"<bdi>{name}</bdi></a> /</p>"),
        (f"/w/default/journal/{entry['request_id']}", f"GetJob <bdi>{name}/{name}</bdi> ·"),
    ):
        assert shown in console.page(path), path
