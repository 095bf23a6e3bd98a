"""docs/shared-instance.md, in both languages: its commands and its excerpts."""

import re
from pathlib import Path

import pytest

from foas_emulator.settings import Settings
from tests.deploy.proxies import DEPLOY, SHARDS, SHIPPED, WITH_PROXIES, Proxy
from tests.deploy.shards import Shards
from tests.docs.console import commands_of, run_as_shown, say

pytestmark = WITH_PROXIES

ROOT = DEPLOY.parent
PAGES = [(ROOT / "docs" / name).read_text("utf-8") for name in ("shared-instance.md", "shared-instance.zh-CN.md")]


@pytest.mark.parametrize("proxy", ["nginx"], indirect=True)
def test_every_command_of_the_page_does_what_the_page_shows(proxy: Proxy, shards: Shards, tmp_path: Path) -> None:
    variables = {f"FOAS_{number}": server.url for number, server in enumerate(shards.servers)}
    commands = commands_of(PAGES[0])
    assert commands
    for command, shown in commands:
        run_as_shown(command, shown, tmp_path, {**variables, "FOAS": str(proxy.client.base_url).rstrip("/")})


def test_the_pages_show_the_same_commands_in_both_languages() -> None:
    english, chinese = map(commands_of, PAGES)
    assert english
    assert chinese == english


@pytest.mark.parametrize("page", PAGES, ids=["en", "zh"])
def test_what_the_page_tries_on_one_machine_is_a_configuration(page: str, proxy: Proxy, tmp_path: Path) -> None:
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "nginx.conf" in block]
    serve, place, start = block.splitlines()
    (tmp_path / "deploy").symlink_to(DEPLOY)
    if proxy.name != "nginx":
        place, start = place.replace("nginx.conf", "haproxy.cfg"), "haproxy -f haproxy.cfg -c"
    say(place, tmp_path, {})
    placed = (tmp_path / SHIPPED[proxy.name]).read_text("utf-8")
    assert re.findall(r"127\.0\.0\.1:(\d+)", placed) == [f"1801{number}" for number in range(len(SHARDS))]
    assert "--port 1801$n" in serve
    said = say(f"{start} -t" if proxy.name == "nginx" else start, tmp_path, {})
    assert "successful" in said or "valid" in said


def test_a_proxy_that_passes_on_how_long_connections_stay_idle_keeps_its_own_for_longer() -> None:
    (seconds,) = re.findall(r"timeout http-keep-alive (\d+)s", (DEPLOY / "haproxy.cfg").read_text("utf-8"))
    assert int(seconds) * 1000 > Settings().keep_alive


def test_the_excerpts_of_the_page_are_those_that_are_shipped() -> None:
    shipped = re.sub(r"\s+", " ", re.sub(r"#.*", "", (DEPLOY / "nginx.conf").read_text("utf-8")))
    haproxy = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    for page in PAGES:
        (excerpt,) = re.findall(r"```nginx\n(.*?)\n}\n```", page, re.DOTALL)
        assert re.sub(r"\s+", " ", excerpt) in shipped
        for in_nginx, in_haproxy in re.findall(r"^\| \d \|.*\| `([^`]*)` \| `([^`]*)` \|$", page, re.MULTILINE):
            assert in_nginx in shipped
            assert in_haproxy in haproxy
