"""Access to the pages and their forms."""

import html
import http.cookies
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.datastructures import URL
from starlette.requests import Request

from foas_emulator.console.gate import SECURITY_HEADERS
from tests.api import open_api
from tests.console.conftest import CONSOLE, Console

RESET = "POST /_emulator/worlds/default/reset"


@pytest.mark.parametrize("path", ["/w/default/", "/static/console.css", "/sign-in", "/nothing", "/w/nobody/"])
def test_every_answer_carries_the_headers_that_keep_a_page_to_itself(console: Console, path: str) -> None:
    answer = console.get(path)
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    assert "unsafe" not in SECURITY_HEADERS["content-security-policy"]


@pytest.mark.parametrize("host", ["evil.example:8018", "127.0.0.1.evil.example", "emulator"])
def test_a_name_that_leads_here_reads_nothing(console: Console, host: str) -> None:
    answer = Console(console.api, host=host).get("/w/default/")
    assert answer.status_code == 403
    assert 'href="/_emulator/console/"' not in answer.text, "it would lead to the same refusal"


@pytest.mark.parametrize("host", ["127.0.0.1:8018", "localhost", "[::1]:8018", "emulator.test:8018"])
def test_loopback_names_and_those_of_control_hosts_are_this_servers_own(host: str) -> None:
    with open_api(control_hosts=("emulator.test",)) as api:
        assert Console(api, host=host).get("/w/default/").status_code == 200


def test_a_form_that_is_too_large_is_refused_before_it_is_read() -> None:
    with open_api(max_document=1000) as api:
        answer = Console(api).send("POST", f"{CONSOLE}/w/default/call", data={"body": "x" * 2000})
        assert answer.status_code == 413
        assert "max_document" in answer.text


def test_other_machines_need_a_token(console: Console) -> None:
    assert Console(console.api, client=("10.0.0.5", 5000)).get("/w/default/").status_code == 403


@pytest.mark.parametrize(
    ("token", "origin", "is_accepted"),
    [
        (None, "http://127.0.0.1:8018", True),
        (None, None, True),
        ("wrong", "http://127.0.0.1:8018", False),
        ("", None, False),
        (None, "http://evil.example", False),
        (None, "http://127.0.0.1:9999", False),
        (None, "null", False),
    ],
)
@pytest.mark.parametrize("path", ["/w/default/call", "/w/default/scenario"])
def test_a_form_is_accepted_from_our_own_pages_alone(
    console: Console, *, path: str, token: str | None, origin: str | None, is_accepted: bool
) -> None:
    fields = {"token": console.token() if token is None else token, "call": RESET, "seed": "empty"}
    headers = {} if origin is None else {"origin": origin}
    answer = console.send("POST", f"{CONSOLE}{path}", data=fields, headers=headers)
    assert answer.status_code == (303 if is_accepted else 403)
    is_elsewhere = origin not in (None, "http://127.0.0.1:8018")
    assert ("A proxy must pass on the Host" in answer.text) == is_elsewhere
    assert ("restarted" in answer.text) == (not is_accepted and not is_elsewhere)


@pytest.mark.parametrize("page", ["/w/default/journal?only=refused", ""])
def test_a_form_of_a_page_from_before_a_restart_leads_back_to_it(console: Console, page: str) -> None:
    headers = {"referer": f"http://127.0.0.1:8018{CONSOLE}{page}" if page else "http://evil.example/_emulator/console/"}
    answer = console.send("POST", f"{CONSOLE}/w/default/call", data={"token": "old", "call": RESET}, headers=headers)
    assert answer.status_code == 403
    links = re.findall(r'<a href="([^"]+)"', answer.text)
    assert links == ([f"{CONSOLE}{page}"] if page else []) + [f"{CONSOLE}/"]


@pytest.mark.parametrize(("path", "control"), [("/w/default/", "no-store"), ("/static/page.js", "no-cache")])
def test_a_page_is_loaded_again_when_one_goes_back_to_it(console: Console, path: str, control: str) -> None:
    assert console.get(path).headers["cache-control"] == control


def test_the_control_token_is_asked_for_once_and_kept_in_a_cookie_that_no_script_reads(guarded: Console) -> None:
    assert guarded.get("/w/default/").headers["location"].startswith(f"{CONSOLE}/sign-in?")
    page = guarded.page("/sign-in")
    assert 'autocomplete="username"' in page, "or else a browser complains in its console"
    assert 'name="token"' not in page, "who has not signed in gets no token of the forms"
    wrong = guarded.send("POST", f"{CONSOLE}/sign-in", data={"control_token": "wrong"})
    assert wrong.status_code == 401
    assert "This is not the token." in wrong.text
    right = guarded.send("POST", f"{CONSOLE}/sign-in", data={"control_token": "correct horse"})
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "horse" not in cookie
    assert guarded.get("/w/default/").status_code == 200
    assert guarded.send("GET", "/_emulator/worlds").status_code == 401, "the cookie opens the pages alone"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_signs_in_by_https_sends_the_cookie_by_nothing_else(guarded: Console, scheme: str) -> None:
    """Also behind a proxy that ends https: the page's Origin tells."""
    headers = {"origin": f"{scheme}://127.0.0.1:8018"}
    answer = guarded.send("POST", f"{CONSOLE}/sign-in", data={"control_token": "correct horse"}, headers=headers)
    assert answer.status_code == 303
    assert ("Secure" in answer.headers["set-cookie"]) == (scheme == "https")


def test_who_signs_out_is_asked_for_the_token_again(guarded: Console, console: Console) -> None:
    guarded.send("POST", f"{CONSOLE}/sign-in", data={"control_token": "correct horse"})
    assert f'action="{CONSOLE}/sign-out"' in guarded.page("/w/default/")
    foreign = guarded.post("/sign-out", token="of another page")
    assert foreign.status_code == 403
    assert guarded.get("/w/default/").status_code == 200
    out = guarded.post("/sign-out")
    assert out.headers["location"] == f"{CONSOLE}/sign-in"
    assert guarded.get("/w/default/").headers["location"].startswith(f"{CONSOLE}/sign-in?")
    assert "/sign-out" not in console.page("/w/default/"), "without a token, nobody has signed in"


@pytest.mark.parametrize("place", ["before", "after"])
def test_cookies_that_another_port_has_planted_hide_none_of_ours(guarded: Console, place: str) -> None:
    """A browser sends those of the longest path first; a sign-in would lead to the sign-in again."""
    guarded.send("POST", f"{CONSOLE}/sign-in", data={"control_token": "correct horse"})
    guarded.post(call="POST /_emulator/worlds/default/reset")
    guarded.get("/w/default/journal?theme=dark")
    ours = [f"{each.name}={each.value}" for each in guarded.cookies.jar]
    planted = [f"{each.name}=planted" for each in guarded.cookies.jar]
    assert len(ours) == len(["session", "message", "theme"])
    guarded.cookies.clear()
    page = guarded.page("/w/default/", cookie="; ".join([*planted, *ours] if place == "before" else [*ours, *planted]))
    assert 'class="message good"' in page
    assert ('data-theme="dark"' in page) is (place == "after")


def test_a_sign_in_that_a_form_leads_to_leads_back_to_its_page(guarded: Console) -> None:
    page = f"{CONSOLE}/w/default/faults?operation=StartJob"
    headers = {"referer": f"http://127.0.0.1:8018{page}"}
    answer = guarded.send("POST", f"{CONSOLE}/w/default/call", data={"call": RESET}, headers=headers)
    right = guarded.send(
        "POST", f"{CONSOLE}/sign-in", data=_sign_in_form(guarded.page(answer.headers["location"].removeprefix(CONSOLE)))
    )
    assert right.headers["location"] == page


@pytest.mark.parametrize(
    ("asked", "landed"),
    [
        ("/w/default/journal?only=refused&q=%E4%B8%AD", f"{CONSOLE}/w/default/journal?only=refused&q=%E4%B8%AD"),
        ("/w/default/p/a%2F%E4%B8%AD", f"{CONSOLE}/w/default/p/a%2F%E4%B8%AD"),
        (f"/w/default/?q={'x' * 3000}", f"{CONSOLE}/"),
    ],
)
def test_a_sign_in_leads_to_the_page_that_was_asked_for(guarded: Console, asked: str, landed: str) -> None:
    to_sign_in = guarded.get(asked).headers["location"].removeprefix(CONSOLE)
    wrong = guarded.send("POST", f"{CONSOLE}/sign-in", data=_sign_in_form(guarded.page(to_sign_in)) | WRONG)
    assert wrong.status_code == 401
    right = guarded.send("POST", f"{CONSOLE}/sign-in", data=_sign_in_form(wrong.text))
    assert (right.status_code, right.headers["location"]) == (303, landed)


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/_emulator/console/", "/\\evil.example", f"{CONSOLE}//\r\nx: y", ""]
)
def test_a_sign_in_leads_to_no_other_site(guarded: Console, back: str) -> None:
    form = _sign_in_form(guarded.page(f"/sign-in?{urlencode({'back': back})}"))
    answer = guarded.send("POST", f"{CONSOLE}/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CONSOLE}/")


WRONG = {"control_token": "x"}


def _sign_in_form(page: str) -> dict[str, str]:
    """The form of a page of the sign-in, filled in."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in hidden} | {"control_token": "correct horse"}


@pytest.mark.parametrize("port", ["", ":9000"])
def test_a_sign_in_at_another_port_of_a_host_ends_no_other(guarded: Console, port: str) -> None:
    guarded.send("POST", f"{CONSOLE}/sign-in", data=_sign_in_form(guarded.page("/sign-in")))
    with open_api(control_token="correct horse, too") as api:
        other = Console(api, host=f"127.0.0.1{port}", cookies=guarded.cookies)
        form = _sign_in_form(other.page("/sign-in")) | {"control_token": "correct horse, too"}
        assert other.send("POST", f"{CONSOLE}/sign-in", data=form).status_code == 303
        assert other.get("/w/default/").status_code == 200
        guarded.cookies = other.cookies  # the browser's, which knows no ports
    assert guarded.get("/w/default/").status_code == 200


@pytest.mark.parametrize("headers", [{"origin": "http://evil"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}])
def test_a_cookie_of_another_token_and_a_forged_form_open_nothing(guarded: Console, headers: dict[str, str]) -> None:
    with open_api(control_token="other") as api:
        other = Console(api, cookies=guarded.cookies)
        other.cookies.set("foas_emulator_console_8018", "0" * 64)
        assert other.get("/w/default/").status_code == 303
    answer = guarded.send("POST", f"{CONSOLE}/sign-in", data={"control_token": "correct horse"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/static/", "/sign-in"])
def test_a_host_with_the_path_of_an_open_page_opens_no_other(
    guarded: Console, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_old_releases = URL(f"http://emulator{CONSOLE}{path}?{CONSOLE}/w/default/")
    monkeypatch.setattr(Request, "url", of_old_releases)
    assert guarded.get("/w/default/").headers["location"].startswith(f"{CONSOLE}/sign-in?")


def test_a_bearer_is_let_in_as_everywhere_else(guarded: Console) -> None:
    assert guarded.get("/w/default/", headers={"authorization": "Bearer correct horse"}).status_code == 200
    assert guarded.get("/w/default/", headers={"authorization": "Bearer wrong"}).status_code == 303


def test_who_has_not_signed_in_sends_no_large_form() -> None:
    with open_api(control_token="secret") as api:
        answer = Console(api).send("POST", f"{CONSOLE}/sign-in", data={"control_token": "x" * 70_000})
        assert answer.status_code == 413


def test_a_world_whose_file_cannot_be_used_has_a_page_that_says_so(tmp_path: Path) -> None:
    with open_api(data_dir=tmp_path / "data") as api:
        Console(api).page("/w/default/")
        api.request("PUT", "/_emulator/worlds/broken")
    (tmp_path / "data" / "broken.db").write_bytes(b"no database")
    with open_api(data_dir=tmp_path / "data") as api:
        answer = Console(api).get("/w/broken/")
        assert (answer.status_code, "broken.db" in answer.text) == (503, True)


def test_the_command_of_a_guarded_control_api_reads_the_token_from_the_environment(guarded: Console) -> None:
    form = guarded.page("/sign-in").partition('name="token" value="')[2].partition('"')[0]
    guarded.send("POST", f"{CONSOLE}/sign-in", data={"token": form, "control_token": "correct horse"})
    page = guarded.done(call=RESET)
    assert "authorization: Bearer $FOASEMU_CONTROL_TOKEN" in page
    assert "horse" not in page


@pytest.mark.parametrize("path", ["/w/default/", "/w/default/events", "/w/default/snapshot"])
@pytest.mark.parametrize("origin", [{}, {"origin": "http://evil.example"}])
def test_a_page_of_another_site_leads_to_ours_but_loads_none(
    console: Console, *, path: str, origin: dict[str, str]
) -> None:
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image", **origin}
    for method in ("GET", "HEAD"):
        assert console.send(method, f"{CONSOLE}{path}", headers=embedded).status_code == 403
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert console.get("/w/default/", headers=followed).status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "http://a]", "//"])
@pytest.mark.parametrize("path", ["/sign-in", "/w/default/call", "/w/default/scenario", "/w/default/compare"])
def test_an_origin_that_is_no_address_is_not_ours(console: Console, *, path: str, origin: str) -> None:
    answer = console.send("POST", f"{CONSOLE}{path}", data={"token": "x"}, headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", '"utf-7"', "UTF-8; charset=utf-7", '"utf-8"x']
)
@pytest.mark.parametrize("parameter", ["charset=", "Charset =", "charset*=utf-8''", "charset*0="])
def test_a_form_in_another_charset_than_utf_8_is_refused_before_it_is_read(
    guarded: Console, *, parameter: str, charset: str
) -> None:
    body = b'--X\r\nContent-Disposition: form-data; name="token"\r\n\r\n-\\ud800\r\n--X--\r\n'
    kind = f"multipart/form-data; boundary=X; {parameter}{charset}"
    answer = guarded.send("POST", f"{CONSOLE}/sign-in", content=body, headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_form_with_a_long_type_is_refused_before_it_is_read(guarded: Console) -> None:
    kind = f"multipart/form-data{';' * 500}; boundary=X"
    answer = guarded.send("POST", f"{CONSOLE}/sign-in", content=b"--X--\r\n", headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"', ";charset=UTF-8 ;x=y"])
def test_a_form_in_utf_8_is_read(guarded: Console, charset: str) -> None:
    kind = f"application/x-www-form-urlencoded{charset}"
    answer = guarded.send("POST", f"{CONSOLE}/sign-in", content=b"token=x", headers={"content-type": kind})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", [f"{CONSOLE}/sign-in", "/_emulator/health", "/docs"])
def test_no_escapes_of_cookies_are_read(console: Console, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def unquote(text: str) -> str:  # the one of several Pythons takes the square of its length
        read.append(text)
        return text

    monkeypatch.setattr(http.cookies, "_unquote", unquote)
    answer = console.send("GET", path, headers={"cookie": 'a="' + '\\"' * 30_000 + '"'})
    assert answer.status_code == 200
    assert not any("\\" in text for text in read)
    assert read or path != "/_emulator/health"


def test_the_name_of_a_field_leads_no_deeper_than_forms_need(console: Console) -> None:
    fields = {"token": console.token(), "call": "PUT /_emulator/worlds/x", "json:" + "a." * 50_000 + "a": "1"}
    assert console.send("POST", f"{CONSOLE}/w/default/call", data=fields).status_code == 303
