"""Access to the control API."""

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator, Iterator
from types import TracebackType

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
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
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
    assert refusal.json()["error"] == "The control API requires its token."


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
    ("passed_on", "other"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("127.0.0.1, 10.0.0.5", "10.0.0.5"),
        ("10.0.0.5, ::1", "10.0.0.5"),
        ("unknown", "unknown"),
        ("127.0.0.1.x", "127.0.0.1.x"),
    ],
)
def test_without_a_token_a_proxy_of_this_machine_lets_no_other_in(
    control: Control, guarded: Control, passed_on: str, other: str
) -> None:
    headers = {"x_forwarded_for": passed_on}
    refusal = control.send("GET", "/worlds", **headers)
    assert (refusal.status_code, "control_token" in refusal.json()["hint"]) == (401, True)
    assert refusal.json()["error"].endswith(f": X-Forwarded-For names {other}.")
    page = control.api.request("GET", "/_emulator/console/w/default/", headers={"x-forwarded-for": passed_on})
    assert page.status_code == 403
    assert "X-Forwarded-For" in page.text
    assert control.send("GET", "/health", **headers).status_code == 200
    assert guarded.send("GET", "/worlds", authorization=f"Bearer {TOKEN}", **headers).status_code == 200


@pytest.mark.parametrize("passed_on", ["127.0.0.1", "::1, [::1]:80", "::ffff:127.0.0.1", "localhost", "", ","])
def test_a_proxy_of_this_machine_lets_this_machine_in(control: Control, passed_on: str) -> None:
    assert control.send("GET", "/worlds", x_forwarded_for=passed_on).status_code == 200


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


def test_what_the_control_api_does_not_have_is_reported_in_its_own_form(control: Control) -> None:
    assert control.refused("GET", "/nowhere", status=404).startswith("Not Found.")
    assert control.refused("POST", "/worlds", status=405).startswith("Method Not Allowed.")


def test_a_slash_too_many_is_refused_and_not_redirected(control: Control) -> None:
    """Many clients take a redirect, which changes nothing, for a success."""
    assert "slash at the end" in control.refused("PUT", "/worlds/default/clock/", {"mode": "frozen"}, status=404)
    assert "slash at the end" in control.refused("DELETE", "/worlds/", status=404)
    start_page = control.api.request("OPTIONS", "/")
    assert (start_page.status_code, "slash" in start_page.json()["hint"]) == (405, False)


def test_the_control_api_leaves_no_trace_in_the_journal(control: Control) -> None:
    control.ok("POST", "/worlds/default/faults", {"effect": {"error": "Throttling.User"}}, status=201)
    control.ok("GET", "/worlds/default/clock")
    assert control.ok("GET", "/worlds/default/journal")["total"] == 0


def test_the_control_api_has_a_document_of_its_own(control: Control) -> None:
    document = control.api.request("GET", "/_emulator/openapi.json").json()
    own = document["paths"]
    assert "/_emulator/worlds/{world}/clock/advance" in own
    assert not [path for path in own if not path.startswith("/_emulator/")]
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in own.items():
        for method, described in methods.items():
            assert set(described["tags"]) <= tags, (method, path)
            assert described["description"], (method, path)
            assert "422" not in described["responses"], (method, path)


FOREIGN = ["evil.example", "evil.example:8018", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "0", ""]
PAGES = ["/", "/docs", "/docs/control", "/openapi.json", "/static-offline-docs/swagger-ui.css"]


@pytest.mark.parametrize("host", FOREIGN)
def test_a_host_that_may_be_a_rebound_name_is_refused_for_everything_but_the_service(
    control: Control, host: str
) -> None:
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "TRACE"):
        for path in (
            "/_emulator/health",
            "/_emulator/worlds",
            "/_emulator/worlds/alice",
            "/_emulator/nothing",
            *PAGES[1:],
        ):
            headers = {"host": host, "origin": f"http://{host}", "access-control-request-method": "PUT"}
            refusal = control.api.request(method, path, headers=headers)
            assert refusal.status_code == 403, (method, path)
            assert "access-control-allow-origin" not in refusal.headers
    for path in PAGES:
        for method in ("GET", "HEAD", "OPTIONS"):
            headers = {"host": host, "origin": f"http://{host}", "access-control-request-method": "GET"}
            refusal = control.api.request(method, path, headers=headers)
            assert refusal.status_code == 403, (method, path)
            assert "access-control-allow-origin" not in refusal.headers
    assert control.api.request("GET", INSTANCE, headers={"host": host}).status_code == 200
    assert "control_hosts" in control.send("GET", "/worlds", host=host).json()["hint"]
    assert [world["name"] for world in control.ok("GET", "/worlds")["worlds"]] == ["default"]


@pytest.mark.parametrize("host", ["localhost:8018", "LOCALHOST", "127.0.0.1:1", "127.8.9.1", "[::1]:8018", "emulator"])
def test_a_host_that_is_this_machines_or_the_address_that_was_asked_is_let_in(control: Control, host: str) -> None:
    assert control.send("GET", "/worlds", host=host).status_code == 200


def test_hosts_that_are_named_in_the_setting_are_let_in() -> None:
    with open_api(control_hosts=("foas.test:8018", "FOAS2.test")) as api:
        for host in ("foas.test", "foas.test:1", "foas2.test"):
            assert Control(api).send("GET", "/worlds", host=host).status_code == 200
        assert Control(api).send("GET", "/worlds", host="foas3.test").status_code == 403


def test_with_a_token_any_host_will_do(guarded: Control) -> None:
    answer = guarded.send("GET", "/worlds", host="foas.test", authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert guarded.send("GET", "/worlds", host="foas.test").status_code == 401


def test_a_page_of_another_site_changes_nothing_without_an_origin(control: Control) -> None:
    for method, path in (("PUT", "/worlds/alice"), ("POST", "/reset"), ("DELETE", "/worlds/default")):
        assert control.send(method, path, sec_fetch_site="cross-site").status_code == 403
        assert control.send(method, path, sec_fetch_site="none").status_code < 300
    own = {"origin": "http://localhost:3000", "sec_fetch_site": "cross-site"}
    assert control.send("PUT", "/worlds/alice", **own).status_code == 200


PLAN = "/api/v2/projects/demo/jobs/running-batch/planjson"
"""A GET that writes: `GetRawPlanJson`."""
FOLLOWED = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
        {**FOLLOWED, "sec_fetch_dest": "iframe"},
        {**FOLLOWED, "sec_purpose": "prefetch"},
        {**FOLLOWED, "sec_fetch_site": "none", "sec_purpose": "prefetch;prerender"},  # Chromium, by speculation rules
    ],
)
@pytest.mark.parametrize("path", ["/worlds", "/worlds/default/events", "/worlds/default/snapshot"])
def test_a_page_of_another_site_makes_no_work_by_loading_what_it_cannot_read(
    control: Control, path: str, headers: dict[str, str]
) -> None:
    for method in ("GET", "HEAD"):
        assert control.send(method, path, **headers).status_code == 403
    assert control.send("GET", "/health", **headers).status_code == 200


def test_a_link_of_another_site_may_be_followed(control: Control) -> None:
    assert control.send("GET", "/worlds", **FOLLOWED).status_code == 200
    assert control.send("POST", "/reset", **FOLLOWED).status_code == 403


def test_a_page_of_another_site_calls_no_operation_that_writes_without_an_origin(control: Control) -> None:
    folders = "/api/v2/projects/demo/folders?path=/x"
    refusal = control.api.request("POST", folders, headers={"sec-fetch-site": "cross-site"})
    assert (refusal.status_code, refusal.json()["Code"]) == (403, "Forbidden")
    headers = {"sec-fetch-site": "cross-site", "origin": "https://example.org"}
    assert control.api.request("POST", folders, headers=headers).status_code == 200
    assert control.api.request("GET", INSTANCE, headers={"sec-fetch-site": "cross-site"}).status_code == 200
    prefetched = {"sec-fetch-site": "none", "sec-purpose": "prefetch"}
    assert control.api.request("GET", PLAN, headers=prefetched).status_code == 403
    assert control.api.request("GET", INSTANCE, headers=prefetched).status_code == 200
    assert control.api.request("GET", PLAN, headers={"sec-fetch-site": "same-site"}).status_code == 200


def test_only_pages_of_the_named_origins_call_operations_that_write() -> None:
    folders = "/api/v2/projects/demo/folders"
    refused: list[dict[str, str]] = [
        {"origin": "http://other"},
        {"origin": "null"},
        {"origin": "http://mine.other", "sec-fetch-site": "same-site"},
    ]
    allowed: list[dict[str, str]] = [
        {},
        {"origin": "http://mine", "sec-fetch-site": "cross-site"},
        {"origin": "http://a.name", "host": "a.name"},
        {"origin": "http://localhost:5173", "sec-fetch-site": "same-origin"},  # a proxy of its server changed the Host
    ]
    with open_api(cors_origins=("http://mine",)) as api:
        for headers in refused:
            refusal = api.request("POST", folders, data={"path": "/x"}, headers=headers)
            assert (refusal.status_code, refusal.json()["Code"]) == (403, "Forbidden")
            assert "cors_origins" in refusal.headers["x-emulator-hint"]
            assert api.request("GET", INSTANCE, headers=headers).status_code == 200
        for number, headers in enumerate(allowed):
            answer = api.request("POST", folders, data={"path": f"/{number}"}, headers=headers)
            assert answer.status_code == 200, answer.text
        assert api.request("GET", PLAN, headers={"sec-fetch-site": "same-site"}).status_code == 403  # an image
        assert api.request("GET", PLAN, headers={"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/_emulator/worlds", "/_emulator/nothing", "/docs/nothing"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_is_served_to_browsers_is_confined(control: Control, path: str, method: str) -> None:
    if path == "/" and method == "POST":
        path = "/docs"  # POST of the root is the service's to refuse
    answer = control.api.request(method, path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'self'" if path.startswith("/docs") else "default-src 'none'")


def test_answers_of_the_service_are_not_to_be_taken_for_another_type(control: Control) -> None:
    for path in (INSTANCE, INSTANCE, "/api/nothing"):
        assert control.api.request("GET", path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/_emulator/health", "/_emulator/worlds/default/faults", "/", "/docs", "/openapi.json"]
)
def test_head_is_answered_as_get_without_a_body(control: Control, path: str) -> None:
    got, head = (control.api.request(method, path) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD"),
        ("HEAD", "/reset", "POST"),
        ("POST", "/worlds/default/clock", "GET, HEAD, PUT"),
        ("PUT", "/worlds/default/faults", "DELETE, GET, HEAD, POST"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_told_all_that_it_has(
    control: Control, method: str, path: str, allowed: str
) -> None:
    answer = control.send(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(("path", "origin"), [("/_emulator/worlds", "http://localhost:1"), (INSTANCE, "http://a.b")])
def test_a_preflight_lists_the_methods_there_are_and_lets_pages_into_a_private_network(
    control: Control, path: str, origin: str
) -> None:
    headers = {
        "origin": origin,
        "access-control-request-method": "PUT",
        "access-control-request-private-network": "true",
    }
    answer = control.api.request("OPTIONS", path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert answer.headers["access-control-allow-methods"] == "DELETE, GET, HEAD, POST, PUT"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_send_credentials_only_if_the_setting_says_so() -> None:
    with open_api() as api:
        answer = api.request("GET", INSTANCE, headers={"origin": "http://a.b"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    for origins in (("*",), ("http://a.b",)):
        with open_api(cors_credentials=True, cors_origins=origins) as api:
            for options in ({"method": "GET"}, {"method": "OPTIONS"}):
                headers = {"origin": "http://a.b", "access-control-request-method": "GET"}
                answer = api.request(url=INSTANCE, headers=headers, **options)
                assert answer.headers["access-control-allow-origin"] == "http://a.b"
                assert answer.headers["access-control-allow-credentials"] == "true"


def test_bodies_of_control_calls_are_limited_and_documents_have_a_limit_of_their_own() -> None:
    with open_api(max_body=100, max_document=200) as api:
        control = Control(api)
        for path, limit in (("/worlds/default/settings", 100), ("/worlds/default", 200), ("/worlds/default/seed", 200)):
            method = "POST" if path.endswith("seed") else "PUT"
            assert control.send(method, path, "{}" + " " * (limit - 2)).status_code < 300
            refusal = control.send(method, path, "{}" + " " * (limit - 1))
            assert refusal.status_code == 413
            assert f"more than {limit} bytes" in refusal.json()["error"]


def test_a_body_that_is_encoded_is_refused_with_its_encoding() -> None:
    with open_api() as api:
        path, body = "/_emulator/worlds/default/seed", gzip.compress(b"projects: []")
        refused = api.request("POST", path, content=body, headers={"content-encoding": "GZip"})
        assert refused.status_code == 415
        assert refused.json()["error"] == "The body has the Content-Encoding 'gzip', which is not supported."
        assert refused.json()["hint"] == "Send it unencoded."
        plain = api.request("POST", path, content=b"projects: []", headers={"content-encoding": " Identity "})
        assert plain.status_code == 204


def test_a_file_that_is_sent_as_a_form_of_parts_is_refused_as_such() -> None:
    with open_api() as api:
        for method, path in (("POST", "/seed"), ("PUT", "/snapshot"), ("PUT", "/clock")):
            body, headers = b"--x\r\n\r\n{}\r\n--x--\r\n", {"content-type": "Multipart/form-data; boundary=x"}
            refused = api.request(method, f"/_emulator/worlds/default{path}", content=body, headers=headers)
            assert refused.status_code == 415
            assert refused.json()["error"] == "The body came as multipart, which is not read."
            assert refused.json()["hint"] == "Send the document itself: curl --data-binary @FILE."


@pytest.mark.parametrize(("method", "path", "limit"), [("PUT", "/settings", 100), ("POST", "/seed", 200)])
@pytest.mark.parametrize("size_over", [1, 1000])
def test_a_body_that_does_not_say_its_length_has_the_same_limit(
    method: str, path: str, limit: int, size_over: int
) -> None:
    with open_api(max_body=100, max_document=200) as api:

        async def in_one_piece() -> AsyncIterator[bytes]:
            yield b" " * (limit + size_over)

        refusal = api.request(method, f"/_emulator/worlds/default{path}", content=in_one_piece())
        assert (refusal.status_code, refusal.json()["error"]) == (413, f"The body has more than {limit} bytes.")


def test_a_body_that_was_dealt_with_takes_no_room_any_more() -> None:
    with open_api(max_document=2000) as api:
        for _ in range(10):
            assert api.request("PUT", "/_emulator/worlds/w", content=b" " * 1900).is_success


@pytest.mark.parametrize(
    "host", ["[::1].evil", "[::1]evil", "[::1", "[localhost].evil", "[::1]:evil", "localhost:evil"]
)
def test_a_name_that_only_begins_like_an_address_is_foreign(host: str) -> None:
    with open_api() as api:
        answer = api.request("GET", "/_emulator/worlds", headers={"host": host})
        assert answer.status_code == 403


def test_what_needs_no_token_reads_no_body_and_so_takes_no_room() -> None:
    with open_api(control_token=TOKEN, max_body=100, max_document=100) as api:
        for path in ("/health", "/worlds/default/credentials"):
            assert Control(api).send("GET", path, "x" * 1000).status_code == 200
        assert Control(api).send("GET", "/worlds", "x" * 1000, authorization=f"Bearer {TOKEN}").status_code == 413


def test_a_refused_body_is_not_kept_by_its_error() -> None:
    """The error's traceback has the pieces of the body: in a cycle they would stay until the collector comes by."""

    def tracebacks() -> set[int]:
        return {id(each) for each in gc.get_objects() if isinstance(each, TracebackType)}

    with open_api(max_body=100) as api:

        def refuse() -> None:
            assert api.request("PUT", "/_emulator/worlds/default/settings", content=b" " * 101).status_code == 413

        refuse()
        gc.collect()
        gc.disable()
        try:
            before = tracebacks()
            refuse()
            assert tracebacks() <= before
        finally:
            gc.enable()
