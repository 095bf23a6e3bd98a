"""Load the emulator quickly, in a process that runs nothing else."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quickly() -> Iterator[None]:
    """Load the frameworks, and disable the garbage collector until it is enabled elsewhere or the block ends.

    Starting makes next to no garbage. The frameworks define sixty pydantic models, nearly all of them for OpenAPI
    documents: pydantic builds these when they are first used instead.
    """
    gc.disable()
    try:
        _load_frameworks()
        yield
    finally:
        gc.enable()


def _load_frameworks() -> None:
    # FastAPI would load the whole of pydantic's old version, only to find that no parameter is one of its models.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]  # None: there is no such module
    from pydantic import BaseModel  # noqa: PLC0415 - the command line's other commands need none of this

    BaseModel.model_config["defer_build"] = True  # models take over the configuration of their base classes
    try:
        import fastapi  # noqa: F401, PLC0415
        import sqlmodel  # noqa: F401, PLC0415
    finally:
        del BaseModel.model_config["defer_build"]
