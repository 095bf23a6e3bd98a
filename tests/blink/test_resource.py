"""What clusters have for jobs."""

import pytest

from foas_emulator.blink.resource import Resource, capacity


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Ecs_4c16g", Resource(v_core=600, mem=24576)),
        ("Ecs_0c4g", Resource()),
        ("large", Resource()),
        (f"Ecs_{'9' * 250}c16g", Resource()),
    ],
)
def test_models_give_what_their_names_say_as_far_as_machines_may_have_it(model: str, expected: Resource) -> None:
    assert capacity(model, 2) == expected
