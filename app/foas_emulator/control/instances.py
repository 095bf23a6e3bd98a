"""Put instances into any state, which no call of the service can do."""

from typing import Annotated, Self
from urllib.parse import quote, unquote_to_bytes

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from starlette.routing import Match
from starlette.types import Scope

from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.paths import WorldName
from foas_emulator.operations.instances.lifecycle import FAILED, State
from foas_emulator.operations.instances.service import put_state
from foas_emulator.world.advance import settle
from foas_emulator.world.durations import whole_number
from foas_emulator.world.ids import LAST_COUNT
from foas_emulator.world.registry import Registry

InstanceId = Annotated[int, Path(ge=-1, le=LAST_COUNT), BeforeValidator(whole_number)]


class InstanceState(BaseModel):
    """A state, in the service's words, and the error message of an instance that FAILED."""

    model_config = ConfigDict(extra="forbid")

    actual_state: State = Field(alias="ActualState", description="The state.")
    last_error_message: str | None = Field(
        default=None,
        max_length=1_000_000,
        alias="LastErrorMessage",
        description="The error message of an instance that FAILED.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.last_error_message and self.actual_state != FAILED:
            raise ValueError(f"LastErrorMessage is only for FAILED, and ActualState is {self.actual_state}")
        return self


class _NamesRoute(DocumentRoute):
    """A route in whose path `%2F` is a slash inside a name, as in the paths of the service."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        match, found = super().matches({**scope, "path": raw_path.decode("latin-1")})
        names = found.get("path_params", {})
        read = {name: unquote_to_bytes(text.encode("latin-1")).decode(errors="replace") for name, text in names.items()}
        return match, {**found, "path_params": read}


def instance_router(registry: Registry) -> APIRouter:
    """Return the route of each instance's state under its path in a world."""
    router = APIRouter(
        prefix="/worlds/{world}/projects/{project_name}/jobs/{job_name}/instances/{instance_id}",
        route_class=_NamesRoute,
        tags=["instances"],
    )

    @router.put("/state", status_code=204)
    async def put_instance_state(
        name: WorldName, project_name: str, job_name: str, instance_id: InstanceId, state: InstanceState
    ) -> Response:
        """Put an instance into a state at once. Its pending changes are dropped."""
        world = registry.open_or_create(name)
        await settle(world)
        with world.transaction():
            put_state(
                world,
                project_name,
                job_name,
                instance_id,
                actual_state=state.actual_state,
                last_error_message=state.last_error_message,
            )
        return Response(status_code=204)

    return router
