import json
from collections.abc import Iterator

import jsonschema_rs
import pytest

from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.loading import load
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.seeds.reading import built_in_text, parse_seed
from foas_emulator.seeds.schema import Schema, json_schema

VALIDATOR = jsonschema_rs.validator_for(json_schema())


def members_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every member that the schema describes, with its path."""
    for part_name, part in {"seed": schema, **schema["$defs"]}.items():
        for name, member in part.get("properties", {}).items():
            yield f"{part_name}.{name}", member


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_seeds_are_valid_by_the_published_schema(name: str) -> None:
    assert VALIDATOR.is_valid(load(built_in_text(name)).value)


@pytest.mark.parametrize(
    "document",
    [
        {"projects": [{"Name": "a", "Nmae": "b"}]},
        {"projects": [{}]},
        {"projects": [{"Name": "a", "jobs": [{"JobName": "j", "JobType": "STREAM"}]}]},
        {"clusters": [{"ClusterId": "c", "slave_num": 1}]},
        {"clusters": [{"ClusterId": "c", "slave_spec": "s" * 257}]},
        {"more": 1},
        [],
    ],
)
def test_schema_and_reading_refuse_the_same(document: object) -> None:
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(SeedError):
        parse_seed(json.dumps(document), "seed")


def test_every_part_and_every_member_of_the_schema_is_described_and_has_examples() -> None:
    schema = json_schema()
    for name, part in schema["$defs"].items():
        assert part["description"], name
    for name, member in members_of(schema):
        assert member["description"], name
        assert member["examples"], name


def test_every_example_of_the_schema_is_valid_where_it_stands() -> None:
    schema = json_schema()
    for name, member in members_of(schema):
        validator = jsonschema_rs.validator_for({**member, "$defs": schema["$defs"]})
        for example in member["examples"]:
            assert validator.is_valid(example), (name, example)


@pytest.mark.parametrize(
    "effect", [{"eror": "Throttling"}, {}, {"code": "X"}, {"drop": False}, {"status": 500}, "drop"]
)
def test_a_wrong_effect_gets_one_error(effect: object) -> None:
    assert len(list(VALIDATOR.iter_errors({"faults": [{"effect": effect}]}))) == 1


def test_the_schema_has_an_id() -> None:
    assert json_schema()["$id"] == "urn:foas-emulator:seed"


def test_a_rule_of_a_seed_has_no_ttl_or_one_that_is_null() -> None:
    for ttl, is_right in ((None, True), ("5s", False), (0, False)):
        seed = {"faults": [{"effect": {"drop": True}, "ttl": ttl}]}
        assert VALIDATOR.is_valid(seed) is is_right
        if is_right:
            assert parse_seed(json.dumps(seed), "seed").faults[0].ttl is None
        else:
            with pytest.raises(SeedError, match="a rule of a seed has no ttl: it is armed for as long as its world"):
                parse_seed(json.dumps(seed), "seed")
