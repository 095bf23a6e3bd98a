"""Coverage of the service since the server started."""

import json

from fastapi import APIRouter, Response

from foas_emulator.control.answers import Coverage, answers
from foas_emulator.journal.coverage import Usage, report
from foas_emulator.journal.journal import Journal
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.instances.lifecycle import STATES
from foas_emulator.world.slices import in_slices


def coverage_router(journal: Journal) -> APIRouter:
    """Return the route of the coverage under `/coverage`."""
    router = APIRouter(tags=["coverage"])

    @router.get("/coverage", **answers(Coverage))
    async def read_coverage() -> Response:
        """Return the operations, parameters, states, error codes and formats that were exercised, in all and by world.

        `all` includes worlds that were dropped.
        """
        whole, worlds = await journal.usages()
        shown = [f'"{name}":{_written(usage)}' async for name, usage in in_slices(worlds.items())]
        text = f'{{"all":{_written(whole)},"worlds":{{{",".join(shown)}}}}}'
        return Response(text.encode(), media_type="application/json")  # FastAPI would convert every value in it

    return router


def _written(usage: Usage) -> str:
    return json.dumps(report(usage, OPERATIONS, states=STATES), ensure_ascii=False)
