"""The console in a real browser: both languages, light and dark, wide and narrow, by mouse and by keyboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import httpx
import pytest

from foas_emulator.testing import Emulator
from tests.console.browser import Watched, axe_script, browser, require_browser
from tests.console.test_hostile import EVIL, hostile_world
from tests.process import DIRECTLY
from tests.running import control

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("browser")

PATHS = (
    "",
    "job?project=demo&job=running-stream",
    "job?project=demo&job=running-stream&tab=instances",
    "job?project=demo&job=running-stream&tab=copy",
    "instance?project=demo&job=running-stream&id=500002",
    "instance?project=demo&job=failed-stream&id=500005",
    "journal",
    "journal/CALL",
    "faults",
    "time?preview=5m",
    "compare",
    "coverage",
    "settings",
    "worlds",
    "scenarios?show=night-shift",
)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    require_browser()
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(emulator: Emulator) -> Iterator["Browser"]:  # noqa: ARG001 - skips first
    with browser() as opened:
        yield opened


@pytest.fixture
def world(emulator: Emulator, request: pytest.FixtureRequest) -> str:
    """A world for this test alone, with a refused call in its journal."""
    name = "b-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50]
    control(emulator, "PUT", f"/worlds/{name}")
    return name


def call(emulator: Emulator, world: str, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"x-emulator-world": world}
    return httpx.request(method, f"{emulator.url}/api/v2{path}", headers=headers, **DIRECTLY, **options)


@pytest.fixture
def page(emulator: Emulator, chromium: "Browser") -> Iterator["Page"]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    opened, watched = context.new_page(), Watched()
    watched.watch(opened, urlsplit(emulator.url).netloc)
    yield opened
    context.close()
    watched.check()


def wait_for_message(page: "Page", text: str, *, role: Literal["alert", "status"] = "status") -> None:
    """Wait for the page that shows a message, and until its script has run."""
    page.get_by_role(role).get_by_text(text).wait_for()
    page.wait_for_load_state()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_page_is_accessible_and_quiet(
    emulator: Emulator, chromium: "Browser", world: str, *, language: str, theme: Literal["light", "dark"], width: int
) -> None:
    refused = call(emulator, world, "GET", "/projects/demo/jobs/draft/instances/-1").json()["RequestId"]
    control(emulator, "POST", f"/worlds/{world}/faults", {"effect": {"latency": "1ms"}, "ttl": "60s"})
    context = chromium.new_context(viewport={"width": width, "height": 820}, locale=language, color_scheme=theme)
    opened, watched = context.new_page(), Watched()
    watched.watch(opened, urlsplit(emulator.url).netloc)
    script, found = axe_script(), []
    for path in PATHS:
        opened.goto(f"{emulator.url}/_emulator/console/w/{world}/{path.replace('CALL', refused)}")
        opened.evaluate(script)
        result = opened.evaluate("axe.run({resultTypes: ['violations']})")
        found += [
            f"{path}: {each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
            for each in result["violations"]
            if each["impact"] in SERIOUS
        ]
        overflow = opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels too wide"
    context.close()
    assert not found
    watched.check()


def test_a_tester_makes_a_world_starts_a_job_moves_time_and_meets_a_fault(emulator: Emulator, page: "Page") -> None:
    page.goto(f"{emulator.url}/")
    assert page.url.endswith("/_emulator/console/w/default/")
    page.get_by_role("link", name="Worlds").click()
    form = page.locator("form", has=page.get_by_label("Begins with"))
    form.get_by_label("Name").fill("tour")
    form.get_by_role("button", name="Create").click()
    page.get_by_role("table").get_by_role("link", name="tour", exact=True).click()
    assert page.url.endswith("/w/tour/")

    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("start_delay", exact=True).fill("45s")
    page.get_by_role("button", name="Change start_delay").click()
    page.get_by_role("link", name="Time", exact=True).click()
    page.get_by_role("button", name="Freeze").click()

    page.get_by_role("link", name="Resources").click()
    page.get_by_role("button", name="Start failed-stream").click()
    row = page.get_by_role("row", name=re.compile("failed-stream"))
    row.locator(".st-waiting").wait_for()
    page.get_by_role("group", name="Move the clock on").get_by_role("button", name="next").click()
    row.get_by_text("RUNNING", exact=True).wait_for()

    page.get_by_role("link", name="Faults").click()
    page.get_by_role("button", name="Switch on: Throttle the next 2 calls").click()
    page.get_by_role("heading", name="Rules").wait_for()
    page.get_by_role("link", name="Journal").click()
    page.locator(".live[data-state=on]").wait_for()
    refused = call(emulator, "tour", "POST", "/projects/demo/jobs/paused-stream/instance")
    assert refused.json()["Code"] == "Throttling.User"
    page.locator("#rows").get_by_text("Throttling.User").wait_for()
    page.locator("#rows").get_by_role("link", name="StartJob").first.click()
    page.locator(".why").get_by_role("link", name="1", exact=True).wait_for()
    assert "x-emulator-world: tour" in page.locator("pre[aria-label=curl]").inner_text()


def test_a_state_is_put_compared_and_undone_by_a_snapshot(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save snapshot").click()
    saved = download.value.path()
    page.get_by_role("link", name="Instance 500002").click()
    page.get_by_role("combobox", name="State").select_option("FAILED")
    page.get_by_label("Error message").fill("out of memory, on purpose")
    page.get_by_role("button", name="Put").click()
    page.locator(".message.bad").get_by_text("out of memory, on purpose").wait_for()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("row", name=re.compile("actual_state")).get_by_text("FAILED").wait_for()
    page.get_by_role("link", name="Resources").click()
    page.set_input_files(  # once the page's script runs, which sends it
        ".js input[name=upload]", {"name": "world.json", "mimeType": "application/json", "buffer": saved.read_bytes()}
    )
    wait_for_message(page, "Done.")
    page.get_by_role("link", name="Compare").click()
    page.get_by_text("No difference.").wait_for()


def test_a_snapshot_that_is_dropped_on_a_side_is_compared(emulator: Emulator, page: "Page", world: str) -> None:
    saved = httpx.get(f"{emulator.url}/_emulator/worlds/{world}/snapshot", **DIRECTLY).text
    call(emulator, world, "DELETE", "/projects/demo/jobs/draft")
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/compare")
    dropped = page.evaluate_handle(
        "text => { const d = new DataTransfer(); d.items.add(new File([text], 'before.json')); return d; }", saved
    )
    page.get_by_role("group", name="Left").dispatch_event("drop", {"dataTransfer": dropped})
    page.get_by_role("button", name="Compare").click()
    page.locator(".versus").get_by_text("before.json").wait_for()
    page.get_by_role("row", name="demo / draft").first.get_by_text("only on the left").wait_for()


def test_one_of_several_texts_is_chosen_and_copied(emulator: Emulator, page: "Page", world: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/job?project=demo&job=draft&tab=copy")
    page.get_by_label("curl", exact=True).and_(page.locator("input")).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Copy seed").click()
    page.get_by_text("✓").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("clusters:\n")


def test_a_point_of_the_time_line_tells_what_it_does(emulator: Emulator, page: "Page", world: str) -> None:
    control(emulator, "PUT", f"/worlds/{world}/settings", {"start_delay": "45s"})
    call(emulator, world, "POST", "/projects/demo/jobs/failed-stream/instance")
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/time")
    tip = page.locator(".tip")
    assert tip.is_hidden()
    page.locator(".point").focus()
    tip.get_by_text("demo/failed-stream becomes RUNNING").wait_for()


def test_a_page_follows_what_happens_and_leaves_alone_what_is_pointed_at(
    emulator: Emulator, page: "Page", world: str
) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    page.locator(".live[data-state=on]").wait_for()
    row = page.get_by_role("row", name=re.compile("running-stream"))
    row.hover()
    call(
        emulator,
        world,
        "PUT",
        "/projects/demo/jobs/running-stream/instances/-1/expectstate",
        data={"expectState": "PAUSED"},
    )
    page.locator("footer").get_by_text("ModifyInstanceState").wait_for()
    assert row.get_by_text("RUNNING", exact=True).is_visible()
    page.mouse.move(5, 500)
    row.get_by_text("PAUSED", exact=True).wait_for()


def test_a_page_that_is_slow_is_asked_for_once_at_a_time(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/coverage")
    page.locator(".live[data-state=on]").wait_for()
    page.evaluate(
        """() => {
            window.under_way = window.most = 0;
            const usual = fetch;
            window.fetch = async (...of) => {
                most = Math.max(most, ++under_way);
                await new Promise((resolve) => setTimeout(resolve, 1500));
                try { return await usual(...of); } finally { under_way--; }
            };
        }"""
    )
    for _ in range(6):
        call(emulator, world, "GET", "/projects")
        page.wait_for_timeout(400)
    page.get_by_role("row", name=re.compile("ListProject 6 OK 6")).wait_for()
    assert page.evaluate("most") == 1


def test_a_page_that_was_asked_for_before_the_machine_slept_is_soon_asked_for_again(
    emulator: Emulator, page: "Page", world: str
) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/coverage")
    page.locator(".live[data-state=on]").wait_for()
    page.evaluate(
        """() => {
            window.longest = 0;
            let slept = 0;
            const [now, usual, later] = [performance.now.bind(performance), fetch, setTimeout];
            performance.now = () => now() + slept;
            window.fetch = async (...of) => { const answer = await usual(...of); slept = 3600000; return answer; };
            window.setTimeout = (work, after) => { longest = Math.max(longest, after); return later(work, 300); };
        }"""
    )
    for calls in (1, 2):
        call(emulator, world, "GET", "/projects")
        page.get_by_role("row", name=re.compile(f"ListProject {calls} OK {calls}")).wait_for()
    assert 250 <= page.evaluate("longest") <= 10_000


def test_a_text_that_is_shown_again_keeps_its_line_ends(emulator: Emulator, page: "Page", world: str) -> None:
    jobs = [{"JobName": "job", "Properties": "\na=1\r\nb=2"}]
    control(emulator, "PUT", f"/worlds/{world}", {"seed": {"projects": [{"Name": "shop", "jobs": jobs}]}})
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/job?project=shop&job=job&tab=properties")
    page.locator(".live[data-state=on]").wait_for()
    text = page.locator("pre").evaluate_handle("each => each")
    call(emulator, world, "PUT", "/projects/shop/jobs/job", data={"description": "changed"})
    page.locator(".lead").get_by_text("changed").wait_for()
    assert not text.evaluate("each => each.isConnected"), "it is shown again"
    assert page.locator("pre").evaluate("each => each.textContent") == "\na=1\r\nb=2"


def test_what_was_typed_and_not_sent_stays(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/faults")
    page.locator(".live[data-state=on]").wait_for()
    job = page.get_by_label("Job").first
    job.fill("orders*")
    job.blur()
    control(emulator, "POST", f"/worlds/{world}/faults", {"effect": {"latency": "2s"}})
    page.get_by_role("cell", name=re.compile("every operation")).wait_for()
    assert job.input_value() == "orders*"


def test_what_was_refused_is_there_to_be_corrected(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/faults")
    rule, example = page.get_by_label("As docs/faults.md describes it"), "Throttling.User"
    own = page.locator("form", has=rule)
    rule.fill('{"effect": {"error": "Internal"}}')
    own.get_by_role("button").click()
    wait_for_message(page, "the catalogue has no error", role="alert")
    assert rule.input_value() == '{"effect": {"error": "Internal"}}'
    assert page.get_by_label("Job").first.input_value() == ""
    page.reload()
    assert example in rule.input_value()
    rule.fill('{"effect": {"error": "InternalError"}}')
    own.get_by_role("button").click()
    wait_for_message(page, "Done.")
    assert example in rule.input_value()


def test_only_the_setting_that_was_refused_is_left_as_it_was_typed(
    emulator: Emulator, page: "Page", world: str
) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/settings")
    page.get_by_label("start_delay", exact=True).fill("long")
    page.get_by_role("button", name="Change start_delay").click()
    wait_for_message(page, "'long' is not a duration", role="alert")
    assert page.get_by_label("start_delay", exact=True).input_value() == "long"
    assert page.get_by_label("stop_delay", exact=True).input_value() == "0s"


def test_the_journal_pauses_and_goes_on(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/journal")
    page.locator(".live[data-state=on]").wait_for()
    page.get_by_role("button", name="Pause").click()
    for _ in range(3):
        call(emulator, world, "GET", "/projects")
    page.locator("#more").get_by_text("+ 3").wait_for()
    assert page.locator("#rows tr").count() == 0
    page.get_by_role("button", name="Pause").click()
    page.locator("#rows tr").nth(2).wait_for()


def test_everything_is_reached_by_keyboard(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    covered = "parseFloat(getComputedStyle(document.documentElement).scrollPaddingBottom)"
    assert page.evaluate(covered) >= page.evaluate("document.querySelector('footer').offsetHeight")
    menu = page.get_by_label("More about draft")
    menu.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete draft").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Delete draft").is_hidden()
    assert menu.evaluate("each => each === document.activeElement")


def test_the_clock_is_moved_on_again_by_the_same_key(emulator: Emulator, page: "Page", world: str) -> None:
    control(emulator, "PUT", f"/worlds/{world}/clock", {"mode": "frozen"})
    began = control(emulator, "GET", f"/worlds/{world}/clock")["now"]
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    page.get_by_role("button", name="+30s").focus()
    for times in (1, 2):
        with page.expect_navigation():
            page.keyboard.press("Enter")
        wait_for_message(page, "Done.")
        assert control(emulator, "GET", f"/worlds/{world}/clock")["now"] == began + times * 30_000


def test_the_focus_stays_where_a_setting_was_changed(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/settings")
    for field, value, message in (("start_delay", "45s", "Done."), ("stop_delay", "soon", "stop_delay")):
        page.get_by_label(field, exact=True).fill(value)
        page.keyboard.press("Enter")
        page.locator("main > .message").get_by_text(message).first.wait_for()
        page.wait_for_load_state()
        assert page.evaluate("document.activeElement.ariaLabel") == field
        assert page.evaluate("scrollY") == 0, "the message is seen"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Change stop_delay"


def test_who_has_chosen_the_colours_sees_which_state_is_chosen(
    emulator: Emulator, chromium: "Browser", world: str
) -> None:
    context = chromium.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/?state=RUNNING")
    drawn = "tiles => tiles.map(each => getComputedStyle(each).outlineStyle).join()"
    outlines = page.locator(".tiles a").evaluate_all(drawn).split(",")
    assert outlines.count("solid") == 1
    assert page.locator(".tiles a[aria-current]").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    context.close()


def test_language_and_theme_are_one_click(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/faults")
    page.get_by_role("link", name="中文").click()
    page.get_by_role("heading", name="故障", exact=True).wait_for()
    page.get_by_role("link", name=re.compile("主题")).click()
    assert page.locator("html[data-theme=dark]").count() == 1
    assert page.url.endswith("/faults")
    scrollbar = page.locator("nav").evaluate("each => getComputedStyle(each).scrollbarColor")
    assert scrollbar == "rgb(72, 82, 94) rgba(0, 0, 0, 0)"  # Firefox draws them white inside of a dark page


def test_hostile_names_run_nothing(emulator: Emulator, page: "Page", world: str) -> None:
    evil = "".join(EVIL)
    control(emulator, "PUT", f"/worlds/{world}", hostile_world(evil))
    base = f"{emulator.url}/_emulator/console/w/{world}"
    page.goto(f"{base}/journal")
    page.locator(".live[data-state=on]").wait_for()
    made = call(emulator, world, "POST", "/projects/shop/jobs", data={"jobName": evil, "code": evil, evil: evil})
    page.locator("#rows tr").first.wait_for()
    for path in (
        "",
        "job?project=shop&job=job",
        "job?project=shop&job=job&tab=copy",
        "journal",
        f"journal/{made.json()['RequestId']}",
        "compare",
        "faults",
    ):
        page.goto(f"{base}/{path}")
        page.wait_for_timeout(100)
        assert page.locator("img:not(.brand img)").count() == 0
    page.goto(f"{base}/")
    page.get_by_role("link", name="job", exact=True).click()
    page.get_by_role("link", name="Instances", exact=True).click()
    page.locator("td a").first.click()
    page.get_by_text("Put it into a state").wait_for()
    page.goto(f"{base}/compare")
    page.set_input_files("input[name=left_file]", {"name": EVIL[0], "mimeType": "text/html", "buffer": evil.encode()})
    page.get_by_role("button", name="Compare").click()
    wait_for_message(page, EVIL[0], role="alert")
    assert page.locator("img:not(.brand img)").count() == 0


def test_going_back_shows_what_the_page_is_about(emulator: Emulator, page: "Page", world: str) -> None:
    console = f"{emulator.url}/_emulator/console/w/{world}"
    call(emulator, world, "GET", "/projects")
    page.goto(f"{console}/journal")
    page.get_by_label("Operation").select_option("ListProject")
    page.wait_for_url("**operation=ListProject**")
    page.go_back()
    assert page.get_by_label("Operation").input_value() == ""
    page.goto(f"{console}/")
    page.get_by_label("World").select_option("default")
    page.wait_for_url("**/w/default/")
    page.go_back()
    assert page.get_by_label("World").input_value() == world
    page.get_by_role("button", name="Pause running-stream").click()
    wait_for_message(page, "Done.")
    page.goto(f"{console}/journal")
    control(emulator, "POST", f"/worlds/{world}/reset")
    page.go_back()
    page.get_by_role("button", name="Pause running-stream").wait_for()
    assert page.get_by_role("status").count() == 0


def test_a_call_that_takes_its_time_is_made_once(emulator: Emulator, page: "Page", world: str) -> None:
    control(emulator, "POST", f"/worlds/{world}/faults", {"effect": {"latency": "1s"}})
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    box = page.get_by_role("button", name="Start failed-stream").bounding_box()
    assert box
    for _ in range(2):
        page.mouse.click(box["x"] + 5, box["y"] + 5)
        page.wait_for_timeout(200)
    wait_for_message(page, "Done.")
    made = control(emulator, "GET", f"/worlds/{world}/journal")["entries"]
    assert [each["operation"] for each in made] == ["StartJob"]


SUBMITTED_TWICE = """() => {
  const refused = [];
  addEventListener('submit', (event) => { refused.push(event.defaultPrevented); event.preventDefault(); });
  return [...document.querySelectorAll('form[method=post]:not(#go)')].map((form) => {
    for (const field of form.elements) field.required = false;
    form.requestSubmit();
    form.requestSubmit();
    return refused.splice(0);
  });
}"""


@pytest.mark.parametrize(("path", "forms"), [("worlds", 2), ("settings", 10), ("scenarios", 5)])
def test_every_form_is_sent_once(emulator: Emulator, page: "Page", world: str, path: str, forms: int) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/{path}")
    sent = page.evaluate(SUBMITTED_TWICE)
    assert len(sent) >= forms
    assert all(refused == [False, True] for refused in sent), sent


def test_a_call_that_was_stopped_can_be_made_again(emulator: Emulator, page: "Page", world: str) -> None:
    control(emulator, "POST", f"/worlds/{world}/faults", {"effect": {"latency": "2s"}, "times": 1})
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    button = page.get_by_role("button", name="Start failed-stream")
    page.evaluate("navigation.addEventListener('navigateerror', () => { document.title = 'stopped'; })")
    page.evaluate("addEventListener('submit', () => setTimeout(() => stop(), 300), {once: true})")
    button.click(no_wait_after=True)
    page.wait_for_function("() => document.title === 'stopped'")
    button.click()
    wait_for_message(page, "Done.")


def test_a_comparison_with_a_file_is_still_there_after_going_back(
    emulator: Emulator, page: "Page", world: str, tmp_path: Path
) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(control(emulator, "GET", f"/worlds/{world}/snapshot")), "utf-8")
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/compare")
    page.locator("input[name=left_file]").set_input_files(file)
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("before.json").first.wait_for()
    page.get_by_role("link", name="Faults").click()
    page.wait_for_url("**/faults")
    page.go_back()
    page.get_by_text("before.json").first.wait_for()


HIDDEN = "value => Object.defineProperty(document, 'visibilityState', {value, configurable: true})"


def test_a_journal_that_nobody_saw_for_a_while_catches_up(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/journal")
    page.locator(".live[data-state=on]").wait_for()
    for state in ("hidden", "visible"):
        page.evaluate(HIDDEN, state)
        page.locator("html").dispatch_event("visibilitychange")
        call(emulator, world, "GET", "/projects")
    page.locator("#rows tr").nth(1).wait_for()
    control(emulator, "DELETE", f"/worlds/{world}/journal")
    page.get_by_text("No calls yet.").first.wait_for()
    assert page.locator("#rows tr").count() == 0


def test_a_filtered_journal_is_live(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/journal?only=refused")
    page.locator(".live[data-state=on]").wait_for()
    for path in ("/projects", "/projects/none"):
        call(emulator, world, "GET", path)
    page.locator("#rows").get_by_text("404").wait_for()
    assert page.locator("#rows tr").count() == 1
    page.locator("[data-live=count]").hover()
    call(emulator, world, "GET", "/projects/nobody")
    page.locator("#rows tr").nth(1).wait_for()


def test_a_clock_that_is_pointed_at_goes_on(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/time")
    page.locator(".live[data-state=on]").wait_for()
    clock, first = page.locator(".bigclock time").first, page.locator(".bigclock time").first.inner_text()
    clock.hover()
    page.wait_for_function(
        "text => document.querySelector('.bigclock time').textContent.slice(-1) !== text", arg=first[-1]
    )
    page.wait_for_timeout(1200)
    before = clock.inner_text()
    call(emulator, world, "GET", "/projects")
    page.locator("footer").get_by_text("ListProject").wait_for()
    page.wait_for_timeout(1200)
    assert before <= clock.inner_text()


def test_a_list_is_stepped_through_by_keyboard_before_it_is_chosen(
    emulator: Emulator, page: "Page", world: str
) -> None:
    control(emulator, "PUT", "/worlds/default")
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    page.get_by_label("World").focus()
    page.keyboard.press("End")
    assert page.get_by_label("World").input_value() != world
    page.keyboard.press("Home")
    chosen = page.get_by_label("World").input_value()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/w/{chosen}/")


def test_a_copied_text_is_reported_once_and_marked_where_copying_is_not_allowed(
    emulator: Emulator, page: "Page", world: str
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/worlds")
    button = page.get_by_role("button", name=re.compile("curl"))
    button.click()
    page.get_by_text("✓").click()
    page.get_by_role("button", name="Copy curl").wait_for()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button.click()
    assert page.evaluate("String(getSelection())").startswith("curl http")


def test_a_page_goes_on_when_its_server_was_started_anew(chromium: "Browser") -> None:
    with Emulator() as first:
        port = urlsplit(first.url).port
        page = chromium.new_context(locale="en-US").new_page()
        page.goto(f"{first.url}/_emulator/console/w/default/")
        page.locator(".live[data-state=on]").get_by_text("live", exact=True).wait_for()
    page.locator(".live").get_by_text("not updating").wait_for()
    assert page.locator(".live").get_by_text("live", exact=True).is_hidden()
    with Emulator(port=port) as second:
        moved = {"expectState": "PAUSED"}
        call(second, "default", "PUT", "/projects/demo/jobs/running-stream/instances/-1/expectstate", data=moved)
        page.get_by_role("button", name="Resume running-stream").click()
        wait_for_message(page, "Done.")
        page.context.close()


def test_a_page_says_that_it_has_stopped_after_a_sign_out_elsewhere(chromium: "Browser") -> None:
    with Emulator(control_token="sesame") as running:
        context = chromium.new_context()
        page, other = context.new_page(), context.new_page()

        def sign_in() -> None:
            other.goto(f"{running.url}/_emulator/console/w/default/")
            other.get_by_label("Control token").fill("sesame")
            other.keyboard.press("Enter")
            other.get_by_role("heading", name="Resources").wait_for()

        sign_in()
        page.goto(f"{running.url}/_emulator/console/w/default/")
        page.locator(".live[data-state=on]").wait_for()
        other.get_by_role("button", name="Sign out").click()
        other.get_by_label("Control token").wait_for()
        call(running, "default", "POST", "/projects/demo/jobs/failed-stream/instance")
        page.locator(".live[data-state=off]").wait_for()
        sign_in()
        page.get_by_role("row", name=re.compile("failed-stream")).get_by_text("RUNNING", exact=True).wait_for()
        context.close()


def test_a_page_goes_on_when_its_world_is_there_again(emulator: Emulator, chromium: "Browser", world: str) -> None:
    page = chromium.new_context(locale="en-US").new_page()
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/journal")
    page.locator(".live[data-state=on]").wait_for()
    control(emulator, "DELETE", f"/worlds/{world}")
    page.wait_for_event("console", lambda message: "404" in message.text, timeout=20_000)
    call(emulator, world, "GET", "/projects")
    page.locator("#rows").get_by_text("ListProject").wait_for(timeout=10_000)
    page.context.close()


def test_a_clock_that_another_client_freezes_can_be_let_run(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/time")
    page.locator(".live[data-state=on]").wait_for()
    control(emulator, "PUT", f"/worlds/{world}/clock", {"mode": "frozen"})
    page.get_by_role("button", name="Let it run").click()
    page.get_by_role("button", name="Freeze").wait_for()


def test_on_paper_nothing_lies_over_the_rows(emulator: Emulator, page: "Page", world: str) -> None:
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    page.emulate_media(media="print")
    assert not any(each.is_visible() for each in page.locator("nav, footer, .steps, .tools").all())
    assert page.get_by_role("row", name=re.compile("running-stream")).is_visible()


@pytest.mark.parametrize("width", [320, 721, 768, 960, 961, 1001, 1101, 1249, 1920])
def test_rows_have_room_for_their_words_at_every_width(
    emulator: Emulator, page: "Page", world: str, width: int
) -> None:
    control(emulator, "PUT", f"/worlds/{world}/settings", {"start_delay": "45s"})
    call(emulator, world, "POST", "/projects/demo/jobs/failed-stream/instance")
    call(emulator, world, "GET", "/projects/demo/jobs/committed-never-started/instances/-1")
    control(emulator, "PUT", "/worlds/b-test-a-clock-that-another-client-freezes-can-be-left-alone-0")
    page.set_viewport_size({"width": width, "height": 820})
    for path in ("", "journal", "worlds"):
        page.goto(f"{emulator.url}/_emulator/console/w/{world}/{path}")
        narrow = """cells => cells.filter((each) => each.textContent.trim() && each.checkVisibility()
            && (each.scrollWidth > each.clientWidth + 1 || each.clientHeight > 120)).map((each) => each.textContent)"""
        assert page.locator("main td").evaluate_all(narrow) == []
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/job?project=demo&job=running-stream")
    page.get_by_label("More").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_scripts_nothing_is_offered_that_needs_them(
    emulator: Emulator, chromium: "Browser", world: str
) -> None:
    page = chromium.new_context(java_script_enabled=False, locale="en-US").new_page()
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/journal")
    assert page.locator("header b").inner_text() == world
    assert not any(each.is_visible() for each in page.locator("#world, #pause, [data-copy]").all())
    page.get_by_role("button", name="Clear").click()
    assert page.get_by_role("status").get_by_text("Done.").is_visible()
    page.context.close()


def test_a_page_weighs_little(emulator: Emulator, page: "Page", world: str) -> None:
    for other in control(emulator, "GET", "/worlds")["worlds"]:  # those of the tests before, which the page lists
        if other["name"] != world:
            control(emulator, "DELETE", f"/worlds/{other['name']}")
    sizes: list[int] = []
    page.on("response", lambda response: sizes.append(len(response.body())) if "event" not in response.url else None)
    page.goto(f"{emulator.url}/_emulator/console/w/{world}/")
    page.locator(".live[data-state=on]").wait_for()
    assert sum(sizes) < 60_000
