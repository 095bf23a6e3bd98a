"""Loading in a process that runs only the emulator: less of the frameworks at first, and the same in the end."""

import json
import subprocess
import sys
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from foas_emulator.main import describe_api, describe_control_api
from tests.process import serving

CONTROL = "/_emulator/openapi.json"


def python(program: str) -> str:
    """Return what a program prints that runs in a process of its own."""
    return subprocess.check_output([sys.executable, "-c", dedent(program)], encoding="utf-8", timeout=60)


def test_models_of_the_frameworks_are_built_when_they_are_used() -> None:
    assert (
        python("""
        from foas_emulator.loading import quickly
        with quickly():
            from fastapi.openapi.models import Tag
        print(Tag.__pydantic_complete__, Tag(name="jobs").name, Tag.__pydantic_complete__)
    """)
        == "False jobs True\n"
    )


def test_models_of_others_are_built_as_ever() -> None:
    assert (
        python("""
        from pydantic import BaseModel
        from foas_emulator.loading import quickly
        with quickly():
            class Inside(BaseModel):
                name: str
        class After(BaseModel):
            name: str
        print(Inside.__pydantic_complete__, After.__pydantic_complete__, BaseModel.model_config)
    """)
        == "True True {}\n"
    )


def test_no_garbage_is_collected_meanwhile() -> None:
    assert (
        python("""
        import gc
        from foas_emulator.loading import quickly
        with quickly():
            within = gc.isenabled()
        print(within, gc.isenabled())
    """)
        == "False True\n"
    )


@pytest.mark.parametrize(("path", "describe"), [("/openapi.json", describe_api), (CONTROL, describe_control_api)])
def test_a_server_that_was_loaded_quickly_describes_itself_as_any_other(
    path: str, describe: Callable[[], dict[str, Any]]
) -> None:
    with serving() as emulator, emulator.client() as client:
        served = client.get(path).raise_for_status().json()
    described = json.loads(json.dumps(describe()))
    for part in ("paths", "components"):
        assert served[part] == described[part]
