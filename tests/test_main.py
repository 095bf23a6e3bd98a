"""The application around the pipeline: documentation without a network, browsers, and `uvicorn app.main:app`."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from foas_emulator import main
from foas_emulator.main import refuse_workers
from foas_emulator.openapi.document import as_yaml
from foas_emulator.operations.catalogue import OPERATIONS
from tests.api import Api, open_api
from tests.wire import INSTANCE

OWN_HEADERS = {"x-acs-request-id", "x-acs-retry-after", "x-emulator-hint", "x-emulator-evidence", "x-emulator-warning"}


@pytest.fixture(scope="module")
def served() -> Iterator[Api]:
    with open_api() as opened:
        yield opened


def test_root_leads_a_browser_to_the_console(served: Api) -> None:
    answer = served.request("GET", "/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/_emulator/console/")


def test_docs_and_all_they_need_come_from_here(served: Api) -> None:
    page = served.request("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(needed) >= 2
    for address in needed:
        assert address.startswith("/"), f"{address} is elsewhere"
        assert served.request("GET", address).status_code == 200


def test_openapi_document_is_served_and_describes_every_operation_in_both_formats(served: Api) -> None:
    document = served.request("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {
        operation["operationId"]: operation
        for path, item in document["paths"].items()
        if path.startswith("/api/")
        for operation in item.values()
    }
    assert described.keys() == {operation.name for operation in OPERATIONS}
    for name, operation in described.items():
        answer = operation["responses"]["200"]["content"]
        assert answer.keys() == {"application/json", "text/xml"}, name
        assert operation["x-evidence"]["kind"] in ("documented", "sample", "sdk", "inferred"), name
        assert operation["description"], name
    example = described["GetInstance"]["responses"]["200"]["content"]["application/json"]["example"]
    assert example["Instance"]["Id"] == 412536


def test_openapi_document_is_written_as_yaml_that_reads_back() -> None:
    document = main.describe_api()
    text = as_yaml(document)
    assert yaml.safe_load(text) == document
    assert "&id" not in text


def preflight(served: Api, origin: str, path: str = INSTANCE) -> Any:
    headers = {
        "origin": origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization, x-acs-version, x-emulator-world",
    }
    return served.request("OPTIONS", path, headers=headers)


def test_browser_may_ask_from_anywhere_before_it_calls(served: Api) -> None:
    answer = preflight(served, "http://localhost:3000")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] in ("*", "http://localhost:3000")
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("target", [INSTANCE, INSTANCE.replace("412536", "1"), "/api/nothing"])
def test_browser_may_read_every_header_of_ours_by_name(served: Api, target: str) -> None:
    answer = served.request("GET", target, headers={"origin": "http://localhost:3000"})
    assert answer.headers["access-control-allow-origin"] in ("*", "http://localhost:3000")
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert exposed >= OWN_HEADERS


def test_origins_can_be_named() -> None:
    with open_api(cors_origins=("http://mine",)) as served:
        assert preflight(served, "http://mine").headers["access-control-allow-origin"] == "http://mine"
        assert "access-control-allow-origin" not in preflight(served, "http://other").headers
        answer = served.request("GET", INSTANCE, headers={"origin": "http://other"})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/_emulator/nothing", "/docs/nothing", "/favicon.ico"])
def test_unknown_path_of_our_own_is_not_the_gateways_business(served: Api, path: str) -> None:
    answer = served.request("GET", path)
    assert answer.status_code == 404
    assert "x-acs-request-id" not in answer.headers


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["uvicorn", "app.main:app", "--workers", "2"], {}),
        (["uvicorn", "app.main:app", "--workers=4"], {}),
        (["gunicorn", "-w", "3"], {}),
        (["uvicorn"], {"WEB_CONCURRENCY": "2"}),
    ],
)
def test_several_workers_are_refused(arguments: list[str], environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="every process has worlds of its own"):
        refuse_workers(arguments, environment)


def test_one_worker_is_what_there_is() -> None:
    refuse_workers(["uvicorn", "--workers", "1"], {"WEB_CONCURRENCY": "1"})
    refuse_workers(["uvicorn"], {})
    refuse_workers(["uvicorn"], {"WEB_CONCURRENCY": ""})


def test_application_is_made_from_the_environment_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["uvicorn", "app.main:app"])
    monkeypatch.setenv("FOASEMU_SEED", "empty")
    assert callable(main.app)
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with pytest.raises(ValueError, match="2 workers were asked for"):
        main.app  # noqa: B018 - asking for it is the test
    with pytest.raises(AttributeError, match="other"):
        main.other  # noqa: B018
