"""Every page, in both languages, without a browser."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from threading import current_thread
from typing import Any

import pytest

from foas_emulator.console.calls import Answer
from foas_emulator.console.pages import PAGES
from foas_emulator.console.rendering import clock_time
from foas_emulator.console.settings import MEANINGS
from foas_emulator.console.site import MOST_CHANGES, View
from foas_emulator.control import staging
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.settings import Settings
from foas_emulator.world.settings import NAMES
from foas_emulator.world.staging import StagedImage
from tests.api import open_api
from tests.console.conftest import Console
from tests.machine_clock import MachineClock
from tests.wire import INSTANCE, signed_v1

JOB = "job?project=demo&job=running-stream"
PATHS = [
    "",
    "?state=FAILED&text=stream",
    JOB,
    f"{JOB}&tab=instances",
    f"{JOB}&tab=properties",
    f"{JOB}&tab=plan",
    "instance?project=demo&job=running-stream&id=500002",
    "instance?project=demo&job=failed-stream&id=500005",
    "journal",
    "journal?only=refused&text=x",
    "faults",
    "time",
    "time?preview=5m",
    "time?preview=soon",
    "compare",
    "compare?left=nobody",
    "coverage",
    "coverage?scope=server",
    "settings",
    "worlds",
    "scenarios?show=night-shift",
]


MISSING = {
    "job": "This address names no job.",
    "job?project=demo": "This address names no job.",
    "job?project=demo&job=nothing": "There is no job nothing in project demo.",
    "instance": "This address names no instance.",
    "instance?project=demo&job=failed-stream": "This address names no instance.",
    "instance?project=demo&job=failed-stream&id=1": "Job failed-stream has no instance 1.",
    "journal/unknown": "The journal has no call unknown.",
}


class Links(HTMLParser):
    """The links of a page, and the elements and attributes that a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.refused: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.links |= {value for name in ("href", "src") if (value := named.get(name)) and not value.startswith("#")}
        if tag == "style" or (tag == "script" and "src" not in named):
            self.refused.append(tag)
        self.refused += [name for name in named if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("language", ["en", "zh-CN,zh;q=0.9,en;q=0.8"])
@pytest.mark.parametrize("path", [*PATHS, *MISSING])
def test_a_page_is_whole_in_both_languages_and_keeps_the_policy(console: Console, path: str, language: str) -> None:
    console.api.request("GET", INSTANCE)
    page = console.page(f"/w/default/{path}", status=404 if path in MISSING else 200, accept_language=language)
    found = Links()
    found.feed(page)
    assert f'lang="{"zh-CN" if language.startswith("zh") else "en"}"' in page
    assert ("调用记录" in page) == language.startswith("zh")
    assert page.count("<h1") == 1
    assert re.search(r"<title>(?! |[^<]* 0 )[^<]+ · foas-emulator<", page)
    assert not re.search(r"<a [^>]*></a>", page), "a link has a name"
    assert not found.refused
    assert all(link.startswith(("/", "?", "job?", "instance?")) for link in found.links), found.links


def test_every_page_is_among_those() -> None:
    assert {page.path.partition("/")[0] for page in PAGES} == {
        path.partition("?")[0].partition("/")[0] for path in PATHS
    }


@pytest.mark.parametrize("path", MISSING)
def test_a_page_of_something_that_does_not_exist_says_so_and_leads_back(console: Console, path: str) -> None:
    page = console.page(f"/w/default/{path}", status=404)
    assert MISSING[path] in page
    assert 'href="/_emulator/console/w/default/' in page.partition("<main")[2].partition("</main")[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/w/default/nothing", 404), ("/static/nothing", 404), ("/w/default/call", 405)],
)
def test_an_address_without_a_page_leads_back_too(console: Console, path: str, status: int) -> None:
    page = console.page(path, status=status)
    assert "There is no such page." in page
    assert 'href="/_emulator/console/"' in page
    assert "没有这个页面。" in console.page(path, status=status, accept_language="zh")


def test_settings_are_written_as_the_command_line_writes_them() -> None:
    with open_api(console=True, access_log=False) as api:
        page = Console(api).page("/w/default/settings")
    assert re.search("<dt>console</dt><dd>on</dd>", page)
    assert re.search("<dt>access_log</dt><dd>off</dd>", page)
    assert not re.search("True|False", page)


def test_settings_of_a_world_mean_what_the_command_line_says() -> None:
    helped = {each.name: each.metadata["help"] for each in fields(Settings)}
    assert {name: helped[name] for name in NAMES if name != "error_overrides"} == MEANINGS


@pytest.mark.parametrize(
    ("headers", "english", "chinese"),
    [
        (dict, "Signature: none, the request is unsigned", "签名：请求没有签名"),
        (lambda: signed_v1(headers={"accept": "application/json"}), "Signature: valid", "签名：有效"),
    ],
    ids=["unsigned", "signed"],
)
def test_the_signature_of_a_call_is_reported_in_words(
    console: Console, headers: Callable[[], dict[str, str]], english: str, chinese: str
) -> None:
    call = console.api.request("GET", INSTANCE, headers=headers()).json()["RequestId"]
    assert english in console.page(f"/w/default/journal/{call}")
    assert chinese in console.page(f"/w/default/journal/{call}", accept_language="zh")


def test_chinese_is_set_in_chinese_punctuation(console: Console) -> None:
    console.api.request("PUT", "/_emulator/worlds/a", content="{}")
    page = console.page("/w/a/", accept_language="zh")
    assert "程序访问地址：<code>http://127.0.0.1:8018</code>，AccessKey ID：<code>world-a</code>。<a" in page
    assert "左：世界" in console.page("/w/a/compare", accept_language="zh")


@pytest.mark.parametrize("seed", BUILT_IN)
def test_the_call_that_an_empty_journal_offers_succeeds(seed: str) -> None:
    with open_api(seed=(seed,)) as api:
        offered = re.search(
            r"data-copy=\"curl [^\"]*http://127.0.0.1:8018([^\s&\"]+)", Console(api).page("/w/default/journal")
        )
        assert offered
        assert api.request("GET", offered[1]).status_code == 200


def test_the_root_leads_a_browser_to_the_world_named_default(console: Console) -> None:
    assert console.send("GET", "/").headers["location"] == "/_emulator/console/"
    assert console.get("/").headers["location"] == "/_emulator/console/w/default/"


def test_without_the_console_there_is_none_and_the_root_leads_to_the_docs() -> None:
    with open_api(console=False) as api:
        assert api.request("GET", "/").headers["location"] == "/docs"
        assert api.request("GET", "/_emulator/console/").status_code == 404


def test_nothing_of_the_console_is_imported_before_its_first_page() -> None:
    code = (
        "import sys; from tests.api import open_api\n"
        "with open_api() as api:\n"
        "    api.request('GET', '/_emulator/worlds')\n"
        "    print([name for name in sys.modules if 'jinja2' in name or 'foas_emulator.console' in name])\n"
        "    page = api.request('GET', '/_emulator/console/w/default/', headers={'host': '127.0.0.1'})\n"
        "    assert page.status_code == 200"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.strip() == "[]"


def test_looking_at_a_page_leaves_no_entry_in_the_journal_and_takes_no_request_id(console: Console) -> None:
    first = console.api.request("GET", INSTANCE).json()["RequestId"]
    with open_api() as untouched:
        assert untouched.request("GET", INSTANCE).json()["RequestId"] == first
        second = untouched.request("GET", INSTANCE).json()["RequestId"]
    for path in PATHS:
        console.page(f"/w/default/{path}")
    assert console.api.request("GET", "/_emulator/worlds/default/journal").json()["total"] == 1
    assert console.api.request("GET", INSTANCE).json()["RequestId"] == second


def test_an_instance_shows_both_answers_byte_for_byte(console: Console) -> None:
    page = console.page("/w/default/instance?project=project1&job=job1&id=412536")
    for format_, accept in (("JSON", "application/json"), ("XML", "text/xml")):
        sent = console.api.request("GET", INSTANCE, headers={"accept": accept, "host": console.host}).text
        without_id = re.sub(r"[0-9A-F]{8}-[0-9A-F-]{27}", "", sent)
        shown = re.search(rf'<pre [^>]*aria-label="{format_}">(.*?)</pre>', page, re.DOTALL)
        assert shown
        parser = Text()
        parser.feed(shown[1])
        assert re.sub(r"[0-9A-F]{8}-[0-9A-F-]{27}", "", parser.text) == without_id.replace("\r\n", "\n")


def test_rows_show_little_of_a_call_however_much_was_sent(console: Console) -> None:
    unread = [f"password{number}" for number in range(4000)]
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert console.api.request("GET", INSTANCE, headers=form, content="&".join(unread)).status_code == 200
    jobs = {"jobName": ["x" * 100_000], "jobType": "FLINK_STREAM"}
    assert console.api.request("POST", "/api/v2/projects/demo/jobs", json=jobs).status_code == 400
    page = console.page("/w/default/journal")
    assert "password0, password1, password10, password100, password1000, …" in page
    assert page.count("password") == 5
    assert "xxx" not in page


class Text(HTMLParser):
    """The text of a piece of HTML."""

    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_call_says_why(console: Console) -> None:
    refused = console.api.request("GET", "/api/v2/projects/demo/jobs/draft/instances/-1?Oops=1")
    page = console.page(f"/w/default/journal/{refused.json()['RequestId']}")
    assert "InvalidInstance.NotRunning" in page
    assert "was never started" in page
    assert "Oops" in page
    lost = console.api.request("GET", "/api/v2/project/demo").json()["RequestId"]
    assert "Closest operations" in console.page(f"/w/default/journal/{lost}")


def test_a_wrong_signature_is_shown_beside_the_right_one(console: Console) -> None:
    headers = {**signed_v1(headers={"accept": "application/json"}), "x-acs-extra": "added later"}
    answer = console.api.request("GET", INSTANCE, headers=headers)
    assert "SignatureDoesNotMatch" in answer.headers["x-emulator-warning"]
    page = console.page(f"/w/default/journal/{answer.json()['RequestId']}")
    assert "What was signed" in page
    assert "x-acs-extra:added later" in page
    assert '<tr class="first"><td data-label="Part">x-acs-extra</td>' in page


@pytest.mark.parametrize("number", [10**15, 2**62])
def test_an_instance_with_a_long_id_has_a_page(console: Console, number: int) -> None:
    seed = {"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": [{"Id": number}]}]}]}
    console.api.request("PUT", "/_emulator/worlds/default", content=json.dumps({"seed": seed}))
    assert f"<h1>{number} " in console.page(f"/w/default/instance?project=p&job=j&id={number}")
    for beyond in (2**63, 10**30):
        assert "names no instance" in console.page(f"/w/default/instance?project=p&job=j&id={beyond}", status=404)


def test_a_world_counts_its_calls_and_all_that_failed(console: Console) -> None:
    for path in (INSTANCE, "/api/v2/projects/demo/jobs/draft/instances/-1", "/api/v2/nothing"):
        console.api.request("GET", path)
    page = console.page("/w/default/worlds")
    assert '<td data-label="Calls" class="num">3</td>' in page
    assert '<span class="bad-text">2</span>' in page


def test_worlds_that_do_not_exist_are_offered_and_not_made(console: Console) -> None:
    assert "Create world nobody" in console.page("/w/nobody/", status=404)
    assert console.page("/w/No-Name/", status=404)
    assert [each["name"] for each in console.api.request("GET", "/_emulator/worlds").json()["worlds"]] == ["default"]


def test_looking_for_a_world_makes_no_other_one_either(console: Console) -> None:
    assert console.api.request("DELETE", "/_emulator/worlds/default").status_code == 204
    for name in ("default", "nobody"):
        assert f"Create world {name}" in console.page(f"/w/{name}/", status=404)
    assert console.api.request("GET", "/_emulator/worlds").json()["worlds"] == []


def test_the_list_of_worlds_tells_how_many_more_there_are(console: Console) -> None:
    for number in range(51):
        console.api.registry.open_or_create(f"w{number:02}")
    assert "2 more: see Worlds" in console.page("/w/default/")
    assert "1 more: see Worlds" in console.page("/w/w50/")
    for number in range(2):
        console.api.registry.drop(f"w{number:02}")
    assert "more: see Worlds" not in console.page("/w/default/")


def test_a_world_that_does_not_exist_is_created_by_a_button_and_one_that_does_stays(console: Console) -> None:
    for _ in range(2):
        answer = console.post("/w/nobody/create")
        assert (answer.status_code, answer.headers["location"]) == (303, "/_emulator/console/w/nobody/")
        console.api.request("DELETE", "/_emulator/worlds/nobody/journal")
        console.api.request("PUT", "/_emulator/worlds/nobody/settings", content='{"start_delay": "7s"}')
    assert 'value="7s"' in console.page("/w/nobody/settings")
    assert console.post("/w/other/create", token="forged").status_code == 403
    assert console.page("/w/other/", status=404)


def test_where_no_further_world_may_be_a_missing_one_has_a_page() -> None:
    with open_api(max_worlds=1) as api:
        console = Console(api)
        api.registry.drop("default")
        api.registry.open_or_create("a")
        assert "Create world nobody" in console.page("/w/nobody/", status=404)
        token = re.search(r'name="token" value="([^"]+)"', console.page("/w/a/"))
        assert token
        assert console.post("/w/nobody/create", token=token[1]).status_code == 503


def test_language_and_theme_are_remembered(console: Console) -> None:
    answer = console.get("/w/default/journal?only=refused&lang=zh")
    assert answer.headers["location"].endswith("/w/default/journal?only=refused")
    assert console.get("/w/default/journal?theme=dark").status_code == 303
    page = console.page("/w/default/journal")
    assert 'lang="zh-CN" data-theme="dark"' in page


def test_a_page_of_many_jobs_is_bounded_and_paged(console: Console) -> None:
    response = console.post("/w/default/scenario", seed="five-thousand")
    assert response.status_code == 303, response.text
    first = console.page("/w/default/")
    assert len(first.encode()) < 120_000
    assert "5,000" in first
    assert re.search(r"</svg>1,\d\d\d<span", first)
    assert first.count("<tr>") <= 60
    assert "offset=50" in first
    for offset in (4950, 9950):  # which is the last page if there were more jobs before
        last = console.page(f"/w/default/?offset={offset}")
        assert "offset=4900" in last
        assert "offset=5000" not in last
        assert "No job matches." not in last
    found = console.page("/w/default/?text=job-4999")
    assert "job-4999" in found
    assert "job-4998" not in found


def test_the_journal_tells_the_day_of_calls_that_are_not_of_today(machine_clock: MachineClock) -> None:
    called = machine_clock.now - machine_clock.now % 86_400_000 + 120  # 08:00 in the service's zone
    machine_clock.now = called + 15 * 3_600_000
    assert clock_time(called) == "08:00:00.120"
    machine_clock.let_pass(3_600_000)
    assert clock_time(called) == f"{datetime.fromtimestamp(called / 1000, UTC):%m-%d} 08:00:00"


def test_a_job_that_has_ended_says_since_when_it_has(console: Console) -> None:
    instances = [{"ActualState": "FAILED", "StartTime": 1_599_800_000_000, "EndTime": 1_767_222_000_000}]
    seed = {"seed": {"projects": [{"Name": "shop", "jobs": [{"JobName": "sales", "instances": instances}]}]}}
    console.api.request("PUT", "/_emulator/worlds/ended", content=json.dumps(seed))
    console.api.request("PUT", "/_emulator/worlds/ended/clock", content='{"mode": "frozen", "now": 1767225600000}')
    assert re.search(r'<td class="since"><time [^>]*>1h</time>', console.page("/w/ended/"))


def test_a_page_of_jobs_with_long_errors_is_bounded(console: Console) -> None:
    """An error may be as long as a text can be, and stands twice beside each of fifty jobs."""
    message = "it broke " + "<" * 100_000
    jobs = [
        {"JobName": f"job{number}", "instances": [{"ActualState": "FAILED", "LastErrorMessage": message}]}
        for number in range(50)
    ]
    seed = {"seed": {"projects": [{"Name": "shop", "jobs": jobs}]}}
    console.api.request("PUT", "/_emulator/worlds/errors", content=json.dumps(seed))
    page = console.page("/w/errors/")
    assert page.count("it broke") == 2 * 50 + 3
    assert len(page) < 500_000


def test_a_job_with_long_code_shows_all_its_instances(console: Console) -> None:
    """ListInstance refuses a page of them."""
    instances = [{"ActualState": "SUCCESS"}] * 9
    job = {"JobName": "long", "JobType": "FLINK_BATCH", "Code": "SELECT 1;\n" * 100_000, "instances": instances}
    seed = {"seed": {"projects": [{"Name": "shop", "jobs": [job]}]}}
    console.api.request("PUT", "/_emulator/worlds/long", content=json.dumps(seed))
    page = console.page("/w/long/job?project=shop&job=long&tab=instances")
    assert "SUCCESS</span></h1>" in page
    assert page.count("instance?project=shop") == 9


@pytest.mark.parametrize(
    "plan",
    [
        '{"nodes": "\\ud800"}',
        "[" * 90 + "1," * 100_000 + "1" + "]" * 90,
        "[" * 90 + "1," * 40_000 + "1" + "]" * 90,
        "[" * 2000 + "1," * 40_000 + "1" + "]" * 2000,
    ],
)
def test_a_plan_that_cannot_be_shown_with_indents_is_shown_as_it_is(console: Console, plan: str) -> None:
    changed = console.api.request("PUT", "/api/v2/projects/demo/jobs/draft", data={"planJson": plan})
    assert changed.status_code == 200, changed.text
    assert plan in unescape(console.page("/w/default/job?project=demo&job=draft&tab=plan"))


@pytest.mark.parametrize("scenario", ["everything-running", "empty", "all-failed", "night-shift"])
def test_a_scenario_is_one_click(console: Console, scenario: str) -> None:
    assert f'name="seed" value="{scenario}"' in console.page("/w/default/scenarios")
    assert console.post("/w/default/scenario", seed=scenario).status_code == 303
    projects = console.api.request("GET", "/api/v2/projects").json()["Projects"]["Project"]
    assert [each["Name"] for each in projects] == ([] if scenario == "empty" else ["shop"])


def test_a_large_scenario_is_written_outside_the_event_loop(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """To write it on the loop held all others for a second if the server was started with a seed of 50 MB."""
    registry, threads = console.api.registry, list[str]()

    def stage(image: bytes, **options: Any) -> StagedImage:
        threads.append(current_thread().name)
        return type(registry).stage(registry, image, **options)

    monkeypatch.setattr(staging, "LARGE", 1)
    monkeypatch.setattr(registry, "stage", stage)
    assert console.post("/w/default/scenario", seed="night-shift").status_code == 303
    assert threads == ["small documents"]
    for _ in range(2):
        projects = console.api.request("GET", "/api/v2/projects").json()["Projects"]["Project"]
        assert [each["Name"] for each in projects] == ["shop"]
        assert console.api.request("POST", "/_emulator/worlds/default/reset").status_code == 200


def test_every_built_in_seed_is_offered_once_also_one_that_the_server_was_started_with() -> None:
    with open_api(seed=("night-shift", "default")) as api:
        page = Console(api).page("/w/default/scenarios")
    assert [page.count(f'name="seed" value="{name}"') for name in BUILT_IN] == [1] * len(BUILT_IN)


def test_a_scenario_is_shown_as_the_document_that_it_is(console: Console) -> None:
    assert "x-job: &amp;job" in console.page("/w/default/scenarios?show=night-shift")


def test_the_night_shift_fails_in_thirty_seconds_as_it_says(console: Console) -> None:
    console.post("/w/default/scenario", seed="night-shift")
    answer = console.api.request("POST", "/_emulator/worlds/default/clock/advance", content=json.dumps({"by": "31s"}))
    assert answer.json()["changes"]
    assert "lost its task managers" in console.page("/w/default/")


@pytest.mark.parametrize(
    ("language", "told"), [("en", "shop/clicks becomes FAILED"), ("zh", "shop/clicks 变为 FAILED")]
)
@pytest.mark.parametrize("path", ["", "time", "time?preview=next"])
def test_what_is_pending_is_reported_by_its_job_and_the_state_it_brings(path: str, language: str, told: str) -> None:
    with open_api(seed=("night-shift",)) as api:
        page = Console(api).page(f"/w/default/{path}", accept_language=language)
    assert page.count(told) >= (3 if "?" in path else 2), "on the line and beside it, and in the preview"
    assert "put_state" not in page
    assert "→ FAILED" in page or path


def test_a_step_tells_the_states_that_it_brought() -> None:
    with open_api(seed=("night-shift",)) as api:
        console = Console(api)
        console.done(call='POST /_emulator/worlds/default/clock/advance?limit=100 {"until": "next"}')
        page = console.page("/w/default/time")
    steps = page.partition('id="steps"')[2].partition("</section>")[0]
    assert "shop/clicks becomes FAILED" in steps
    assert "put_state" not in steps


def test_the_documents_of_a_directory_of_seeds_are_offered_one_by_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(f"projects: [{{Name: {name}}}]", "utf-8")
    with open_api(seed=(str(tmp_path),)) as api:
        console = Console(api)
        page = console.page("/w/default/scenarios")
        assert all(f"<code>{each}</code>" in page for each in (tmp_path, tmp_path / "one.yaml", tmp_path / "two.yaml"))
        assert console.post("/w/default/scenario", seed=str(tmp_path / "two.yaml")).status_code == 303
        projects = api.request("GET", "/api/v2/projects").json()["Projects"]["Project"]
        assert [each["Name"] for each in projects] == ["two"]
        assert console.post("/w/default/scenario", seed="/etc/hostname").status_code == 404


def test_a_seed_that_is_a_file_is_offered_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("projects: [{Name: one}]", "utf-8")
    with open_api(seed=("default", str(tmp_path / "one.yaml"))) as api:
        page = Console(api).page("/w/default/scenarios")
        assert page.count(f"<code>{tmp_path / 'one.yaml'}</code>") == 1
        assert page.count("<code>default</code>") == 1


@pytest.mark.parametrize("signature", ["warn", "strict"])
@pytest.mark.parametrize("page", ["job?project=project1&job=job1", "instance?project=project1&job=job1&id=412536"])
def test_a_world_that_is_dropped_while_its_page_is_made_is_not_created_again(
    monkeypatch: pytest.MonkeyPatch, page: str, signature: str
) -> None:
    with open_api(signature=signature) as api:
        api.registry.open_or_create("mine")
        made = Console(api).page(f"/w/mine/{page}")
        assert "job1" in made
        read, drop = View.read, iter([api.registry.drop])

        async def read_and_drop(view: View, target: str, **options: Any) -> Answer:
            answer = await read(view, target, **options)
            for drop_once in drop:
                drop_once("mine")
            return answer

        monkeypatch.setattr(View, "read", read_and_drop)
        assert "the world was dropped" in Console(api).page(f"/w/mine/{page}", status=503)
        assert not api.registry.exists("mine")


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system gives pipes no names")
def test_a_seed_that_was_a_pipe_is_not_offered_as_it_holds_nothing_any_more() -> None:
    pipe, end = os.pipe()
    seed = f"/dev/fd/{pipe}"
    try:
        os.write(end, b"projects: [{Name: one}]")
        os.close(end)
        with open_api(seed=(seed,)) as api:
            console = Console(api)
            assert f"<code>{seed}</code>" not in console.page("/w/default/scenarios")
            assert console.post("/w/default/scenario", seed=seed).status_code == 404
    finally:
        os.close(pipe)


def test_a_world_whose_file_is_broken_is_reported_and_not_a_crash(tmp_path: Path) -> None:
    with open_api(data_dir=tmp_path) as api:
        api.request("PUT", "/_emulator/worlds/broken", content="{}")
    for file in tmp_path.glob("broken*"):
        file.write_bytes(b"no database" * 1000)
    with open_api(data_dir=tmp_path) as api:
        assert "This world cannot be opened." in Console(api).page("/w/broken/", status=503)
        assert Console(api).get("/w/default/compare?left=broken").status_code == 200


def test_of_many_changes_the_page_of_the_clock_parses_only_what_it_shows(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To parse an answer with all of them would hold the loop."""
    parsed: list[int] = []

    def noted(answer: Answer) -> Any:
        document = read(answer)
        parsed.extend(len(document[member]) for member in ("pending", "changes"))
        return document

    read = Answer.document
    monkeypatch.setattr(Answer, "document", noted)
    name = 'a"], "changes": [ "pending": [{}'
    ends = [{"ActualState": "RUNNING", "timeline": [{"after": f"{n}s", "ActualState": "FAILED"}]} for n in (1, 2)]
    jobs = [{"JobName": f"{name} {number}", "instances": ends[:1]} for number in range(150)]
    seed = {"seed": {"projects": [{"Name": "many", "jobs": [{"JobName": "late", "instances": ends[1:]}, *jobs]}]}}
    assert console.api.request("PUT", "/_emulator/worlds/default", content=json.dumps(seed)).status_code == 200

    def told(page: str, begin: str) -> int:
        section = unescape(page.partition(begin)[2].partition("</section>")[0])
        return sum(section.count(f"many/{name} {number} becomes FAILED") for number in range(150))

    # Each section says that there are more.
    page = console.page("/w/default/time?preview=next")
    assert told(page, 'class="card preview"') == MOST_CHANGES
    assert page.count("The first 100 of 150 are shown.") == 1
    assert page.count("The first 100 of 151 are shown.") == 1
    console.done(call='POST /_emulator/worlds/default/clock/advance?limit=100 {"until": "idle"}')
    page = console.page("/w/default/time")
    assert told(page, 'id="steps"') == MOST_CHANGES
    assert page.count("The first 100 of 151 are shown.") == 1
    assert max(parsed) == MOST_CHANGES


def test_the_last_instants_that_a_clock_can_show_have_a_page(console: Console) -> None:
    """The service's zone has no date for them."""
    body = json.dumps({"to": "9999-12-31T23:59:59Z"})
    answer = console.api.request("POST", "/_emulator/worlds/default/clock/advance", content=body)
    assert answer.status_code == 200, answer.text
    assert "9999-12-31 23:59:59" in console.page("/w/default/time")
    world = console.api.registry.open_or_create("default")
    with world.transaction():
        world.schedule("stopped", "instance:1", at=world.now() + 1000)
    for path in ("", "time", "time?preview=next"):
        assert "9999-12-31" in console.page(f"/w/default/{path}"), "also with what never happens"


def rule_rows(page: str) -> dict[int, str]:
    """The words of each row of the active rules, by the rule's id."""
    rows = re.findall(r'<tr id="rule-(\d+)"[^>]*>(.*?)</tr>', page, re.DOTALL)
    return {int(number): " ".join(unescape(re.sub(r"<[^>]*>", " ", row)).split()) for number, row in rows}


def test_a_rule_shows_when_it_applies_and_for_how_long(console: Console, machine_clock: MachineClock) -> None:
    rules: list[dict[str, Any]] = [
        {"effect": {"latency": "2s"}},
        {"effect": {"latency": "2s"}, "skip": 37},
        {"effect": {"latency": "2s"}, "probability": 0.125},
        {"effect": {"latency": "2s"}, "ttl": "10s"},
        {"effect": {"reset": True}},
    ]
    for rule in rules:
        content = json.dumps(rule)
        assert console.api.request("POST", "/_emulator/worlds/default/faults", content=content).status_code == 201
    rows = rule_rows(console.page("/w/default/faults"))
    assert "skip 37" in rows[2]
    assert "probability 0.125" in rows[3]
    assert "10s" in rows[4]
    titled = [number for number, row in rows.items() if "Every call takes 2 s" in row]
    assert titled == [1, 4], "a switch is named where the rule does as it says"
    assert "The next connection" not in rows[5], "it is every one"
    machine_clock.let_pass(11_000)
    assert "over" in rule_rows(console.page("/w/default/faults"))[4]


def test_the_page_of_faults_says_that_there_are_more_rules(console: Console) -> None:
    rules = [{"effect": {"stale": True}}] * 201
    seed = json.dumps({"seed": {"faults": rules}})
    assert console.api.request("PUT", "/_emulator/worlds/default", content=seed).status_code == 200
    page = console.page("/w/default/faults")
    assert len(rule_rows(page)) == 200
    assert "The first 200 of 201 are shown." in page


def test_a_warning_that_concerns_no_signature_is_not_called_one(console: Console) -> None:
    job = {"jobName": "planned", "jobType": "FLINK_STREAM", "apiType": "SQL", "code": "x", "planJson": "{"}
    console.api.request("POST", "/api/v2/projects/demo/jobs", data=job)
    warned = console.api.request("GET", "/_emulator/worlds/default/journal").json()["entries"][-1]
    assert "planJson" in warned["warning"]
    page = unescape(console.page(f"/w/default/journal/{warned['request_id']}"))
    assert f'<li>Warning: <span lang="en">{warned["warning"]}</span></li>' in page
    assert '<li class="quiet">Signature: none, the request is unsigned</li>' in page
    tag = re.search(r'<span class="tag warn" title="[^"]*">([^<]*)<', console.page("/w/default/journal"))
    assert tag is not None
    assert tag[1] == "warning"


def test_a_world_with_projects_and_no_jobs_is_not_called_empty(console: Console) -> None:
    seed = json.dumps({"seed": {"projects": [{"Name": "bare"}]}})
    assert console.api.request("PUT", "/_emulator/worlds/default", content=seed).status_code == 200
    page = console.page("/w/default/")
    assert "This world is empty." not in page
    assert "<bdi>bare</bdi>" in page


def test_a_filter_that_matches_nothing_is_shown_as_chosen(console: Console) -> None:
    """The page of coverage leads to codes of other worlds."""
    page = console.page("/w/default/journal?code=Throttling.User&operation=GetJob")
    assert "<option selected>Throttling.User</option>" in page
    assert "<option selected>GetJob</option>" in page


def test_a_filtered_journal_says_that_older_calls_were_not_searched(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foas_emulator.console.journal.LOOKED_THROUGH", 2)
    told = "Only the latest 5,000 calls were searched."
    for number in range(2):
        console.api.request("GET", f"{INSTANCE}?number={number}")
        assert told not in console.page("/w/default/journal?operation=GetInstance")
        assert told not in console.page("/w/default/journal?operation=StartJob"), "all calls were searched"
    console.api.request("GET", "/api/v2/projects")
    assert told in console.page("/w/default/journal?operation=GetInstance")
    assert told in console.page("/w/default/journal?operation=StartJob")
