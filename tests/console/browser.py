"""A real browser on a real server, and what must hold of every page that it opens."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def require_browser() -> None:
    """Skip where there is no browser, but never in CI."""
    if os.environ.get("CI") == "true":
        assert CHROMIUM, "CI installs chromium"
        return
    pytest.importorskip("playwright")
    if not CHROMIUM:
        pytest.skip("there is no chromium on this machine")


@contextmanager
def browser() -> Iterator["Browser"]:
    """Chromium, driven by Playwright; nothing is downloaded."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield chromium
        finally:
            chromium.close()


@dataclass
class Watched:
    """What a page said and asked for while it was open."""

    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: "Page", host: str) -> None:
        page.on("console", lambda message: self.console.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"{page.url}: {error}"))
        page.on("dialog", self._spoken)
        page.on("request", lambda request: self._asked(request.url, host))

    def _spoken(self, dialog: "Dialog") -> None:
        self.console.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str, host: str) -> None:
        if urlsplit(url).netloc != host and not url.startswith(("data:", "about:", "blob:")):
            self.elsewhere.append(url)

    def check(self) -> None:
        assert not self.console
        assert not self.elsewhere


def axe_script() -> str:
    """axe-core, as the package that drives it ships it."""
    found = find_spec("axe_playwright_python")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")
