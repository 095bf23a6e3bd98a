"""The provider states that verifiers of Pact contracts request: named seeds, merged into a world and removed again."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import ControlError
from foas_emulator.control.merging import clusters_there, merge
from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.control.paths import WorldName
from foas_emulator.control.resetting import reset
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.seeds.states import LONGEST_NAME, StateError, States
from foas_emulator.world.names import check_name
from foas_emulator.world.registry import Registry


class PactState(BaseModel):
    """A request of a verifier for a state. Other members that it sends, such as the consumer, are ignored."""

    state: str = Field(
        max_length=LONGEST_NAME,
        description="Name of the state; an empty one is sent for every interaction and changes nothing.",
    )
    params: dict[str, Any] | None = Field(default=None, description="Its parameters.")
    action: Literal["setup", "teardown"] = Field(
        default="setup", description="Whether the state begins, or ends; its end resets the world."
    )


def pact_router(registry: Registry, states: States) -> APIRouter:
    """Return the route of a world's states."""
    router = APIRouter(prefix="/worlds/{world}", route_class=DocumentRoute, tags=["snapshots"])

    @router.post("/pact-states", status_code=204)
    async def change_pact_state(name: WorldName, change: PactState) -> Response:
        """Merge the seed of a state into the world (setup), or reset the world (teardown)."""
        check_name(name)  # an empty state asks no world
        if change.action == "teardown":
            await reset(registry, name)
        elif change.state:
            # A parameter may stand in many places of a state.
            size = LARGE if change.params else states.size
            seed = await _seed(registry, states, name, change, size=size)
            await merge(registry, name, seed, size=size)
        return Response(status_code=204)

    return router


async def _seed(registry: Registry, states: States, name: str, change: PactState, *, size: int) -> SeedDocument:
    """Return the seed of a state, checked against the world as it is now."""
    clusters = await clusters_there(registry, name)
    try:
        return await off_loop(size, lambda: states.seed(change.state, change.params or {}, clusters=clusters))
    except StateError as error:
        there_are = ", ".join(states.seeds) or "none; --pact-states FILE names seeds"
        message = str(error)
        raise ControlError(400, f"{message[0].upper()}{message[1:]}.", f"There are: {there_are}.") from None
