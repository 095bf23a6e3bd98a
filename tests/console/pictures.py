"""Takes the pictures of docs/console.md, in both languages: `make pictures`."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from foas_emulator.testing import Emulator
from tests.console.browser import browser
from tests.console.test_browser import call
from tests.running import control

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE: "ViewportSize" = {"width": 1280, "height": 760}
COLOURS = 96
LARGEST = 60_000


def prepare(emulator: Emulator) -> str:
    """A world in which something goes on; answers the id of a call that was refused."""
    control(emulator, "PUT", "/worlds/default/clock", {"mode": "frozen", "now": "2026-01-01T00:00:00Z"})
    control(emulator, "PUT", "/worlds/default/settings", {"start_delay": "45s", "pause_delay": "30s"})
    call(emulator, "default", "POST", "/projects/demo/jobs/failed-stream/instance")
    expected = {"expectState": "PAUSED"}
    call(emulator, "default", "PUT", "/projects/demo/jobs/running-stream/instances/-1/expectstate", data=expected)
    call(emulator, "default", "GET", "/projects/project1/jobs/job1/instances/412536")
    rule = {"match": {"operation": "StartJob"}, "effect": {"error": "Throttling.User"}, "times": 2}
    control(emulator, "POST", "/worlds/default/faults", rule)
    call(emulator, "default", "POST", "/projects/demo/jobs/terminated-stream/instance")
    refused = call(emulator, "default", "GET", "/projects/demo/jobs/draft/instances/-1", params={"Regionid": "x"})
    return str(refused.json()["RequestId"])


def take(emulator: Emulator, chromium: "Browser", refused: str, *, language: str, suffix: str) -> None:
    """The pictures in one language."""
    context = chromium.new_context(viewport=SIZE, locale=language, color_scheme="light")
    page = context.new_page()
    for name, path in {
        "resources": "",
        "job": "job?project=demo&job=running-stream",
        "call": f"journal/{refused}",
        "time": "time?preview=next",
        "faults": "faults",
        "compare": "compare",
    }.items():
        page.goto(f"{emulator.url}/_emulator/console/w/default/{path}")
        page.locator(".live[data-state=on]").wait_for()
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        file = PICTURES / f"{name}{suffix}.png"
        image.save(file, optimize=True)
        assert file.stat().st_size < LARGEST, f"{file.name} is too large"
    context.close()


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with Emulator() as emulator, browser() as chromium:
        refused = prepare(emulator)
        take(emulator, chromium, refused, language="en-US", suffix="")
        take(emulator, chromium, refused, language="zh-CN", suffix=".zh-CN")


if __name__ == "__main__":
    main()
