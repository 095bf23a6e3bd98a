"""The states that verifiers of Pact contracts ask for: named seeds, merged into a world and taken away again."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import ControlError
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.states import StateError, States
from foas_emulator.world.advance import settle
from foas_emulator.world.registry import Registry


class PactState(BaseModel):
    """A state as verifiers ask for it. What else they send, such as the consumer, is not used."""

    state: str = Field(description="Name of the state; the empty one is every interaction's, and changes nothing.")
    params: dict[str, Any] | None = Field(default=None, description="Its parameters.")
    action: Literal["setup", "teardown"] = Field(
        default="setup", description="Whether the state begins, or ends with all that came after the world began."
    )


def pact_router(registry: Registry, states: States) -> APIRouter:
    """The states of a world."""
    router = APIRouter(prefix="/worlds/{name}", route_class=DocumentRoute)

    @router.post("/pact-states", status_code=204)
    async def change_pact_state(name: str, change: PactState) -> Response:
        """Merge the seed of a state into the world (setup), or return the world to what it began with (teardown)."""
        if change.action == "teardown":
            registry.reset(name)
        elif change.state:
            await _set_up(registry, states, name, change)
        return Response(status_code=204)

    return router


async def _set_up(registry: Registry, states: States, name: str, change: PactState) -> None:
    world = registry.open_or_create(name)
    await settle(world)
    clusters = {cluster.cluster_id for cluster in world.store.find(Cluster)}
    try:
        seed = states.seed(change.state, change.params or {}, clusters=clusters)
    except StateError as error:
        there_are = ", ".join(states.seeds) or "none; --pact-states FILE names seeds"
        message = str(error)
        raise ControlError(400, f"{message[0].upper()}{message[1:]}.", f"There are: {there_are}.") from None
    apply(world, seed)
