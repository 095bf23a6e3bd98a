"""Random variations of valid documents: the schema and the check agree, except on what no schema can express."""

import copy
import json
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from foas_emulator.operations.catalogue import HANDLERS
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.image import image_of
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.seeds.schema import json_schema
from foas_emulator.world.connections import Connections
from foas_emulator.world.durations import PATTERN, RATE_PATTERN, SPAN_PATTERN
from foas_emulator.world.settings import NAMES, WorldSettings

SCHEMA = json_schema()
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
CONNECTIONS = Connections()

BEYOND_ANY_SCHEMA = [
    r"is repeated",
    r"contradicts the part around it",
    r"a job that has instances is committed",
    r"one instance that is not archived",
    r"there is no cluster '",
    r"the project has no (queue|package) '",
    r"has (not|no) queue",
    r"the project's folders have no FolderId",
    r"is too long for a duration",
    r"goes from the shorter to the longer",
    r"neither a duration nor the shortest and the longest one",
    r"there is no (operation|parameter) '",
    r"only writes, and stale concerns",
    r"beyond the year 9999",
    r"FolderId [0-9]+ is that of",
]
"""What docs/seeds.md lists: faults of documents that their schema lets pass."""

FULL: dict[str, Any] = {
    "$schema": "x",
    "x-note": {"any": [1]},
    "clusters": [{"ClusterId": "c", "master_num": 3, "slave_num": 2, "State": "RUNNING", "GmtCreate": 5}],
    "projects": [
        {
            "Name": "p",
            "ClusterId": "c",
            "DeployType": "cell",
            "queues": [{"QueueName": "q", "MaxVCore": 100}],
            "folders": [{"Path": "/a/b", "FolderId": 3}],
            "packages": [{"PackageName": "a.jar", "Type": "JAR"}],
            "jobs": [
                {
                    "JobName": "j",
                    "Packages": "a.jar",
                    "QueueName": "q",
                    "FolderId": 3,
                    "instances": [
                        {"Id": 5, "ActualState": "FAILED", "ExpectState": "RUNNING", "InputDelay": -99999999},
                        {
                            "StartTime": 7,
                            "timeline": [
                                {"after": "5m", "ActualState": "FAILED"},
                                {"after": 9, "ActualState": "RUNNING"},
                            ],
                        },
                    ],
                },
                {"JobName": "k", "JobType": "FLINK_BATCH", "IsCommitted": False},
            ],
        }
    ],
    "faults": [
        {
            "id": 4,
            "match": {"operation": "StartJob", "params": {"jobName": "j*"}},
            "effect": {"error": "Throttling.User"},
            "times": 2,
        },
        {"effect": {"error": "InvalidjobName"}, "skip": 1, "at": "after_commit"},
        {"effect": {"status": 503, "code": "Busy", "message": "m"}, "probability": 0.5},
        {"effect": {"latency": ["1s", 2.5]}},
        {"effect": {"latency": "100ms"}},
        {"effect": {"truncate": 0.5}},
        {"match": {"operation": "Get*"}, "effect": {"stale": True}},
        {"effect": {"rate_limit": {"calls": 5, "per": "1s"}}},
        {"effect": {"drop": True}},
    ],
    "settings": {
        **dict.fromkeys(("start_delay", "pause_delay", "stop_delay", "plan_delay", "cluster_delay"), "30s"),
        "batch_duration": None,
        "default_format": "xml",
        "sql_check": "start",
        "latency": "100ms-1s",
        "error_rate": "5%",
        "not_running": "answer",
        "signature": "off",
        "error_overrides": {
            "InvalidInstance.NotRunning": {"status": 403, "code": "X"},
            "MissingjobType": {"code": "Y"},
        },
    },
}

_NUMBERS = [0, 1, -1, 2, 399, 600, 2**31, 2**53, 2**62, 2**62 + 1, 2**63 - 1, -(2**63), 0.5, 1.5, -0.5, 1e300]
_WORDS = ["", "a", "30s", "5 m", "-1s", "1e5", "soon", "9" * 17, "9999d", "/", "//", "/a", "a/b", "RUNNING", "STOPPED"]
_MORE_WORDS = ["cell", "FLINK_BATCH", "SQL", "Get*", "Nothing", "StartJob", "Throttling", "InvalidjobName", "x" * 300]
_CODES = ["InvalidInstance.NotRunning", "Missing{parameter}", "current--blink-3.4.4", "current-blink", "after_commit"]
_SHAPES: list[Any] = [[], {}, [None], [1], ["1s", "2s"], ["2s", "1s"], {"a": 1}, {"drop": True}, {"status": 500}]
_values = st.sampled_from([None, True, False, *_NUMBERS, *_WORDS, *_MORE_WORDS, *_CODES, *_SHAPES]).map(copy.deepcopy)
"""Copies, since what is drawn becomes a part of a document that further draws change."""
_names = st.sampled_from(
    sorted(
        {name for part in [SCHEMA, *SCHEMA["$defs"].values()] for name in part.get("properties", {})}
        | {"Nmae", "x-mine", "ttl", "X-mine", "jobName", "start_delay", "strat_delay", "InvalidAction.NotFound"}
    )
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for part, each in inner for found in places(each, (*place, part)))]


@st.composite
def documents(draw: st.DrawFn) -> Any:
    document = copy.deepcopy(FULL)
    for _ in range(draw(st.integers(1, 3))):
        *outer, last = draw(st.sampled_from(places(document)[1:] or [("x",)]))
        part = document
        for step in outer:
            part = part[step]
        kind = draw(st.sampled_from(["set", "remove", "add", "double"]))
        if kind == "set" or not isinstance(part, dict | list):
            part[last] = draw(_values)
        elif kind == "remove":
            del part[last]
        elif isinstance(part, dict):
            part[draw(_names)] = copy.deepcopy(part[last]) if kind == "double" else draw(_values)
        else:
            part.append(copy.deepcopy(part[last]) if kind == "double" else draw(_values))
    return document


def faults(document: Any) -> list[str]:
    """What reading and applying say of a document."""
    try:
        seed = parse_seed(json.dumps(document), "seed", clusters=())
        image_of([seed], connections=CONNECTIONS, handlers=HANDLERS, defaults=WorldSettings())
    except SeedError as error:
        return [fault.message for fault in error.faults]
    return []


def test_the_full_document_is_accepted_by_both() -> None:
    assert VALIDATOR.is_valid(FULL)
    assert faults(FULL) == []
    assert FULL["settings"].keys() == set(NAMES)
    assert SCHEMA["properties"]["settings"]["properties"].keys() == set(NAMES)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_schema_and_check_agree(document: Any) -> None:
    said = faults(document)
    errors = [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in VALIDATOR.iter_errors(document)
    ]
    note(f"check: {said}\nschema: {errors}")
    if errors:
        assert said, "the check accepts what the schema refuses"
    else:
        unlisted = [each for each in said if not any(re.search(known, each) for known in BEYOND_ANY_SCHEMA)]
        assert not unlisted, "the schema accepts what the check refuses"


@given(st.from_regex(rf"\A{PATTERN}\Z") | st.text("0123456789. smhd\t", max_size=8))
def test_schema_and_check_agree_on_durations(text: str) -> None:
    document = {"settings": {"start_delay": text}}
    said = faults(document)
    assert VALIDATOR.is_valid(document) == (not said or "too long" in said[0])


@settings(deadline=None)
@given(
    st.from_regex(rf"\A{SPAN_PATTERN}\Z") | st.text("0123456789. smhd\t-", max_size=10) | st.floats() | st.booleans()
)
def test_schema_and_check_agree_on_spans(value: object) -> None:
    document = {"settings": {"latency": value}}
    said = faults(document)
    unsaid = VALIDATOR.is_valid(document) and said
    assert not unsaid or "the shortest and the longest" in said[0], "it is too long, or from the longer to the shorter"
    assert not said or unsaid or not VALIDATOR.is_valid(document)


@settings(deadline=None)
@given(st.from_regex(rf"\A{RATE_PATTERN}\Z") | st.text("0123456789. %", max_size=8) | st.floats() | st.booleans())
@example(-0.0)
def test_schema_and_check_agree_on_rates(value: object) -> None:
    document = {"settings": {"error_rate": value}}
    assert VALIDATOR.is_valid(document) == (not faults(document))


@pytest.mark.parametrize("number", [True, "1", 2, 0.5])
def test_a_number_of_masters_that_is_not_listed_is_refused_by_both(number: object) -> None:
    document = {"clusters": [{**FULL["clusters"][0], "master_num": number}]}
    assert not VALIDATOR.is_valid(document)
    assert faults(document)


@pytest.mark.parametrize("number", [1.0, 2.0])
def test_a_whole_number_with_a_point_is_one_to_the_schema_alone(number: float) -> None:
    document = {"projects": [{"Name": "p", "CreateTime": number}]}
    assert VALIDATOR.is_valid(document)
    assert faults(document) == ["Input should be a valid integer"]
