"""Loading the emulator quickly, in a process that is all its own."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quickly() -> Iterator[None]:
    """Load the frameworks first, and collect no garbage until somebody else enables it or this is left.

    Nothing that is made while starting is garbage. And the frameworks come with sixty models of pydantic's, nearly all
    of them for descriptions of OpenAPI: pydantic builds those when they are first used instead.
    """
    gc.disable()
    try:
        _load_frameworks()
        yield
    finally:
        gc.enable()


def _load_frameworks() -> None:
    # FastAPI would load all of pydantic's old version, to see that no parameter of a route is one of its models.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]  # None: there is no such module
    from pydantic import BaseModel  # noqa: PLC0415 - the command line's other commands need none of this

    BaseModel.model_config["defer_build"] = True  # models take over the configuration of their base classes
    try:
        import fastapi  # noqa: F401, PLC0415
        import sqlmodel  # noqa: F401, PLC0415
    finally:
        del BaseModel.model_config["defer_build"]
