"""Everything that a program sends is text, whatever it looks like."""

import json
from html.parser import HTMLParser

import pytest

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
    job = {"JobName": "job", "Code": evil, "Description": evil, "Properties": evil, "instances": [instance]}
    return {"seed": {"projects": [{"Name": "shop", "Description": evil, "jobs": [job]}]}}


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
