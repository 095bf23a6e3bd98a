"""Who may use the control API."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.api import open_api
from tests.control.conftest import INSTANCE, Control

TOKEN = "correct horse"


@pytest.fixture
def data_dir() -> None:
    """In memory alone: what is tested here does not depend on the kind of store."""


@pytest.fixture
def guarded() -> Iterator[Control]:
    """The control API of an emulator that was given a token."""
    with open_api(control_token=TOKEN) as api:
        yield Control(api)


def from_elsewhere(control: Control, path: str, **headers: str) -> httpx.Response:
    """Ask as a client on another machine does."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(control.api.app, client=("10.0.0.5", 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_whoever_has_the_token_is_let_in(guarded: Control, scheme: str) -> None:
    assert guarded.send("GET", "/worlds", authorization=f"{scheme} {TOKEN}").status_code == 200


@pytest.mark.parametrize(
    "authorization", ["", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", "Bearer é".encode()]
)
def test_without_the_token_nobody_is_let_in(guarded: Control, authorization: str) -> None:
    refusal = guarded.send("POST", "/reset", authorization=authorization)
    assert (refusal.status_code, refusal.headers["www-authenticate"]) == (401, "Bearer")
    assert refusal.json()["error"] == "The control API wants its token."


def test_health_docs_and_the_service_need_no_token(guarded: Control) -> None:
    assert guarded.send("GET", "/health").status_code == 200
    assert guarded.send("GET", "/ca.pem").status_code == 404
    for path in ("/docs", "/openapi.json", INSTANCE):
        assert guarded.api.request("GET", path).status_code == 200


def test_without_a_token_only_this_machine_is_let_in(control: Control, guarded: Control) -> None:
    refusal = from_elsewhere(control, "/_emulator/worlds")
    assert refusal.status_code == 401
    assert "control_token" in refusal.json()["hint"]
    assert from_elsewhere(control, "/_emulator/health").status_code == 200
    assert from_elsewhere(control, INSTANCE).status_code == 200
    assert from_elsewhere(guarded, "/_emulator/worlds", authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3000", "https://127.0.0.1", "http://127.1.2.3:80", "http://[::1]:8018", "http://emulator"],
)
def test_pages_of_this_machine_and_of_the_server_itself_are_let_in(control: Control, origin: str) -> None:
    assert control.send("GET", "/worlds", origin=origin).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://example.org", "http://localhost.example.org", "null", "http://127.0.0.1.x"]
)
def test_pages_of_others_are_refused_before_they_change_anything(control: Control, origin: str) -> None:
    control.ok("PUT", "/worlds/alice", status=201)
    refusal = control.send("POST", "/reset", origin=origin)
    assert (refusal.status_code, refusal.json()["error"]) == (403, f"Pages of {origin} may not use the control API.")
    assert "access-control-allow-origin" not in refusal.headers
    assert control.send("DELETE", "/worlds/alice", origin=origin).status_code == 403


def preflight(control: Control, path: str, origin: str) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "PUT"}
    return control.api.request("OPTIONS", path, headers=headers)


def test_a_preflight_is_answered_for_those_who_are_let_in(guarded: Control) -> None:
    answer = preflight(guarded, "/_emulator/worlds/alice", "http://localhost:3000")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "http://localhost:3000")
    assert preflight(guarded, "/_emulator/worlds/alice", "https://example.org").status_code == 400


def test_the_service_is_open_to_all_origins_nevertheless(control: Control) -> None:
    answer = control.api.request("GET", INSTANCE, headers={"origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_origins_that_are_given_are_let_in_and_no_others() -> None:
    with open_api(control_origins=("https://example.org",)) as api:
        control = Control(api)
        answer = control.send("GET", "/worlds", origin="https://example.org")
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://example.org")
        assert control.send("GET", "/worlds", origin="http://localhost:3000").status_code == 403


def test_a_body_is_json_whatever_its_type(control: Control) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
        answer = control.send("PUT", "/worlds/default/settings", '{"start_delay": 5}', content_type=content_type)
        assert answer.json()["start_delay"] == "5s"
    assert control.send("PUT", "/worlds/default/settings", '{"start_delay": 6}').json()["start_delay"] == "6s"


def test_what_the_control_api_does_not_have_is_told_in_its_own_form(control: Control) -> None:
    assert control.refused("GET", "/nowhere", status=404).startswith("Not Found.")
    assert control.refused("POST", "/worlds", status=405).startswith("Method Not Allowed.")


def test_the_control_api_leaves_no_trace_in_the_journal(control: Control) -> None:
    control.ok("POST", "/worlds/default/faults", {"effect": {"error": "Throttling.User"}}, status=201)
    control.ok("GET", "/worlds/default/clock")
    assert control.ok("GET", "/worlds/default/journal")["total"] == 0


def test_the_control_api_is_described_under_its_own_tag(control: Control) -> None:
    document = control.api.request("GET", "/openapi.json").json()
    own = {path: methods for path, methods in document["paths"].items() if path.startswith("/_emulator")}
    assert "/_emulator/worlds/{name}/clock/advance" in own
    for path, methods in own.items():
        for method, described in methods.items():
            assert described["tags"] == ["emulator"], (method, path)
            assert described["description"], (method, path)
            assert "422" not in described["responses"], (method, path)
