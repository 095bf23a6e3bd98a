"""Any instance survives the way from a seed to its answer, and nothing makes an answer malformed."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from foas_emulator.operations.instances.schemas import InstanceDetails
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.world.ids import LAST_NUMBER
from foas_emulator.world.instants import LAST_INSTANT
from tests.api import Api, open_api
from tests.wire import ask

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TARGET = "/api/v2/projects/p/jobs/j/instances/{}"
IMPLIED = {"Id", "ProjectName", "JobName", "ActualState", "ExpectState", "JobType", "ApiType"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
longs = st.sampled_from([-(2**63), -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)
ints = st.sampled_from([-(2**31), 0, 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1)
times = st.sampled_from([0, 1, 2**31, LAST_INSTANT]) | st.integers(0, LAST_INSTANT)


def values_of(member: str, annotation: Any) -> st.SearchStrategy[Any]:
    if member == "Priority":
        return ints
    if member.endswith("Time"):
        return times
    return texts if str in get_args(annotation) else longs


MEMBERS = {
    str(field.alias): values_of(str(field.alias), field.annotation)
    for field in InstanceDetails.model_fields.values()
    if field.alias not in IMPLIED
}
instances = st.fixed_dictionaries({}, optional=MEMBERS).flatmap(
    lambda members: st.fixed_dictionaries(
        {name: st.just(value) | st.none() for name, value in members.items()}
        | {"Id": st.integers(1, LAST_NUMBER), "ActualState": st.just("RUNNING")}
    )
)


@pytest.fixture(scope="module")
def empty() -> Iterator[Api]:
    with open_api(seed=("empty",), read_cache=0) as opened:
        yield opened


def put(api: Api, instance: dict[str, Any], *, written: Any) -> None:
    document = {"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": [instance]}]}]}
    apply(api.world, parse_seed(written(document), "seed"))


def as_yaml(document: Any) -> str:
    return yaml.safe_dump(document, allow_unicode=False)


@settings(max_examples=200)
@given(instance=instances, written=st.sampled_from([json.dumps, as_yaml]))
def test_any_instance_survives_seed_store_and_both_formats(empty: Api, instance: dict[str, Any], written: Any) -> None:
    put(empty, instance, written=written)
    target = TARGET.format(instance["Id"])
    given_ = {name: value for name, value in instance.items() if value is not None}

    answered = json.loads(ask(empty.app, target, headers={"accept": "application/json"}).body)["Instance"]
    assert {name: answered[name] for name in given_} == given_

    root = ET.fromstring(ask(empty.app, target, headers={"accept": "application/xml"}).body)
    element = root.find("Instance")
    assert element is not None
    in_xml = {member.tag: member.text or "" for member in element}
    assert in_xml == {name: NOT_IN_XML.sub("\ufffd", str(value)) for name, value in answered.items()}


@settings(max_examples=100)
@given(
    segments=st.lists(st.text(max_size=20) | st.binary(max_size=10), min_size=3, max_size=3),
    query=st.binary(max_size=30),
    accept=st.sampled_from(["application/json", "application/xml"]) | st.text(st.characters(max_codepoint=126)),
)
def test_no_request_makes_a_malformed_answer(empty: Api, segments: list[Any], query: bytes, accept: str) -> None:
    project, job, instance = (
        quote(each.encode("utf-8", "surrogatepass"), safe="") if isinstance(each, str) else each.decode("latin-1")
        for each in segments
    )
    path = f"/api/v2/projects/{project}/jobs/{job}/instances/{instance}"
    path = path.replace("?", "").replace("#", "")
    heard = ask(empty.app, f"{path}?{query.decode('latin-1')}", headers={"accept": accept})
    assert 400 <= heard.status < 500
    assert heard.members["RequestId"] == heard.headers["x-acs-request-id"]
    assert heard.hint.isascii()
    assert heard.hint.isprintable()


@given(half=st.characters(categories=["Cs"]), text=texts)
def test_half_of_a_surrogate_pair_is_refused_at_the_edge(empty: Api, half: str, text: str) -> None:
    for member in ("Code", "PlanJson", "Starter"):
        with pytest.raises(SeedError, match="surrogate"):
            put(empty, {"Id": 1, member: f"{text}{half}{text}"}, written=json.dumps)
    assert empty.world.store.counts()["instances"] <= 1
