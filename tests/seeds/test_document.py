import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from foas_emulator.seeds.schema import json_schema
from foas_emulator.seeds.reading import SeedError, parse_seed

FIXTURES = Path(__file__).parents[2] / "fixtures"
VALIDATOR = jsonschema_rs.validator_for(json_schema())


@pytest.mark.parametrize("name", ["default", "empty"])
def test_built_in_seeds_are_valid_by_the_published_schema(name: str) -> None:
    assert VALIDATOR.is_valid(yaml.safe_load((FIXTURES / f"{name}.yaml").read_text("utf-8")))


@pytest.mark.parametrize(
    "document",
    [
        {"projects": [{"Name": "a", "Nmae": "b"}]},
        {"projects": [{}]},
        {"projects": [{"Name": "a", "jobs": [{"JobName": "j", "JobType": "STREAM"}]}]},
        {"clusters": [{"ClusterId": "c", "slave_num": 1}]},
        {"more": 1},
        [],
    ],
)
def test_schema_and_reading_refuse_the_same(document: object) -> None:
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(SeedError):
        parse_seed(json.dumps(document), "seed")


def test_every_part_of_the_schema_is_described() -> None:
    for name, part in json_schema()["$defs"].items():
        if part.get("type") == "object":
            assert part["description"], name
