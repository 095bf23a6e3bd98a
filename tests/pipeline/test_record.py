"""What is logged and recorded of a request and its response."""

import json
import logging
import tracemalloc
from collections.abc import Iterator

import pytest

from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.operation import OperationIndex
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.journal.entries import show
from foas_emulator.journal.journal import Journal
from foas_emulator.logs import JsonFormatter
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.find_operation import FindOperation
from foas_emulator.pipeline.record import Record
from foas_emulator.pipeline.select_world import SelectWorld
from foas_emulator.settings import Settings
from foas_emulator.world.registry import Registry
from foas_emulator.worlds import open_registry
from tests.wire import INSTANCE

OK = GatewayResponse(status_code=200, content=Body(b"", b""), content_type=b"")
BROKEN = GatewayResponse(status_code=500, content=Body(b"", b""), content_type=b"", code="InternalError")


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    opened = open_registry(Settings())
    opened.open_or_create("default")
    yield opened
    opened.close()


def context_of(registry: Registry, record: Record, query: str = "") -> RequestContext:
    """A request as far as an operation was found for it."""
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": INSTANCE.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"emulator"), (b"accept", b"*/*")],
    }
    made = RequestContext(scope, None)  # type: ignore[arg-type]
    SelectWorld(registry)(made)
    record(made)
    FindOperation(OperationIndex(OPERATIONS))(made)
    return made


@pytest.mark.parametrize("own", ["nothing", "call", "parameters"])
def test_the_estimate_of_an_entrys_size_is_near_the_truth(registry: Registry, own: str) -> None:
    """An entry repeats another one's call, or has its own, with few parameters or with large ones."""
    journal = Journal(budget=10**9)
    record = Record(journal, log_access=False, log_refused=True)
    pattern = context_of(registry, record)
    scope = pattern.scope
    template = record.template(pattern, OK).repeated()

    def one(number: int) -> None:
        made = RequestContext(scope, None)  # type: ignore[arg-type]
        made.world, made.world_name = pattern.world, pattern.world_name
        made.operation, made.parameters = pattern.operation, pattern.parameters
        made.request_id = made.world.next_request_id()
        record(made)
        if own == "nothing":
            made.template = template
        if own == "call":
            made.parameters = {name: f"{value}{number}" for name, value in pattern.parameters.items()}
        if own == "parameters":
            made.query_string = f"Verbose={number}&Padding={number}{'x' * 2000}"
            made.parameters = dict(pair.split("=") for pair in made.query_string.split("&")) | dict(pattern.parameters)
        record.close(made, OK)

    one(0)
    tracemalloc.start()
    try:
        for number in range(2000):
            one(number)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    estimated = sum(entry.template.size for entry in journal.world_journal("default").entries)
    assert 0.7 < held / estimated < 1.3


def test_a_server_error_is_logged_even_without_an_access_log(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    record = Record(Journal(budget=0), log_access=False, log_refused=True)
    made = context_of(registry, record)
    with caplog.at_level(logging.INFO):
        record.log(made, OK)
        record.log(made, BROKEN)
    (line,) = caplog.records
    assert line.levelname == "ERROR"
    assert f"{made.request_id} GetInstance world=default GET {INSTANCE} 500" in line.getMessage()


def refused(hint: str, code: str = "InvalidInstance.NotRunning", status: int = 400) -> GatewayResponse:
    headers = ((b"x-emulator-evidence", b"documented"),)
    body = Body(b"", b"")
    return GatewayResponse(
        status_code=status, content=body, content_type=b"", extra_headers=headers, code=code, hint=hint
    )


def test_a_refused_call_leaves_one_warning_that_says_why(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    record = Record(Journal(budget=0), log_access=False, log_refused=True)
    made = context_of(registry, record)
    with caplog.at_level(logging.INFO):
        record.log(made, OK)
        record.log(made, refused("Start the job."))
    (line,) = caplog.records
    assert line.levelname == "WARNING"
    assert line.getMessage().startswith(f"{made.request_id} GetInstance world=default GET {INSTANCE} 400 ")
    assert line.getMessage().endswith(" ms InvalidInstance.NotRunning: Start the job.")
    assert (vars(line)["code"], vars(line)["hint"]) == ("InvalidInstance.NotRunning", "Start the job.")


def test_a_code_that_a_user_made_up_stays_on_its_line(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    record = Record(Journal(budget=0), log_access=False, log_refused=True)
    record.log(context_of(registry, record), refused("Why.", code="Odd\nERROR forged"))
    assert "\n" not in caplog.records[0].getMessage()


def test_a_setting_turns_the_lines_of_refused_calls_off(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    record = Record(Journal(budget=0), log_access=False, log_refused=False)
    made = context_of(registry, record)
    with caplog.at_level(logging.INFO):
        record.log(made, refused("Start the job."))
        assert not caplog.records
        record.log(made, refused("Broken.", status=500))
    (line,) = caplog.records
    assert line.levelname == "ERROR"
    assert "Broken." in line.getMessage()


def test_what_is_refused_for_want_of_room_is_no_error_of_the_server(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    for log_refused in (True, False):
        record = Record(Journal(budget=0), log_access=False, log_refused=log_refused)
        record.log(context_of(registry, record), refused("Make room.", "ServiceUnavailable", status=503))
    (line,) = caplog.records
    assert line.levelname == "WARNING"


def test_the_entry_of_a_refused_call_has_its_hint(registry: Registry) -> None:
    journal = Journal(budget=10**6)
    record = Record(journal, log_access=False, log_refused=True)
    record.close(context_of(registry, record), OK)
    record.close(context_of(registry, record), refused("Start the job."))
    passed, failed = (show(number, entry, OPERATIONS) for number, entry in journal.world_journal("default").numbered())
    assert not {"hint", "evidence"} & passed.keys()
    assert (failed["hint"], failed["evidence"]) == ("Start the job.", "documented")


def test_the_access_log_tells_of_every_request(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    record = Record(Journal(budget=0), log_access=True, log_refused=True)
    with caplog.at_level(logging.INFO):
        record.log(context_of(registry, record), OK)
    (line,) = caplog.records
    noted = vars(line)
    assert line.levelname == "INFO"
    assert (noted["operation"], noted["status"], noted["world"]) == ("GetInstance", 200, "default")
    assert noted["milliseconds"] >= 0
    written = json.loads(JsonFormatter().format(line))
    assert (written["method"], written["path"], written["code"]) == ("GET", INSTANCE, None)


def test_an_exchange_without_a_world_is_logged_and_not_journalled(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(budget=10**6)
    record = Record(journal, log_access=True, log_refused=True)
    made = context_of(registry, record)
    made.world = None
    with caplog.at_level(logging.INFO):
        record.log(made, OK)
        record.close(made, OK)
    assert len(caplog.records) == 1
    assert not journal.world_journal("default").entries
