"""Parameters that several groups of operations share."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

from fastapi import Depends, Form, Path, Query
from pydantic import BeforeValidator

from foas_emulator.gateway.parameters import REFUSED_WITHOUT, Int32, Int64
from foas_emulator.gateway.routes import GatewayRequest
from foas_emulator.operations.paging import LARGEST_PAGE
from foas_emulator.world.world import World


def form(name: str, description: str, *examples: Any, required: bool = False, **schema: Any) -> Any:
    """Declare a parameter of a form; `schema` are members of its JSON schema, such as `minimum=1`.

    A `required` one is optional in the service's metadata, but the service refuses a call without it.
    """
    return Form(alias=name, description=description, **_more(examples, schema, required=required))


def query(name: str, description: str, *examples: Any, required: bool = False, **schema: Any) -> Any:
    """Declare a parameter of the query, as `form` declares one of a form."""
    return Query(alias=name, description=description, **_more(examples, schema, required=required))


def path(name: str, description: str, *examples: Any, **schema: Any) -> Any:
    """Declare a parameter of the path, as `form` declares one of a form."""
    return Path(alias=name, description=description, **_more(examples, schema, required=False))


def _more(examples: Sequence[Any], schema: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    extra = {**(REFUSED_WITHOUT if required else {}), **schema}
    # A parameter without schema members keeps those of its type, such as the format of Int64.
    return {"examples": [*examples] or None} | ({"json_schema_extra": extra} if extra else {})


async def _world_of(request: GatewayRequest) -> World:
    """Return the world that the pipeline chose for a request."""
    return cast(World, request.call.world)


def _given(text: Any) -> Any:
    return None if text == "" else text


Filter = Annotated[str | None, BeforeValidator(_given)]
"""A text that narrows a list. An empty one lets everything pass, as a part of a name that is empty does (inferred)."""

CurrentWorld = Annotated[World, Depends(_world_of)]
ProjectName = Annotated[str, path("projectName", "Name of the project.", "project1")]
JobName = Annotated[str, path("jobName", "Name of the job.", "job1")]
InstanceId = Annotated[
    Int64,
    path(
        "instanceId",
        "Id of the instance, from StartJob or ListInstance; -1 is the current one of a stream job.",
        412536,
        minimum=-1,
    ),
]
ClusterId = Annotated[
    str, path("clusterId", "Id of the cluster, not its display name; ListCluster shows it.", "demo4b0v6t1kq8y2w7x5z3ca")
]
PageIndex = Annotated[Int32, query("pageIndex", "Number of the page, from 1.", 1, minimum=1)]
PageSize = Annotated[Int32, query("pageSize", "Items on a page, 1 to 100.", 10, minimum=1, maximum=LARGEST_PAGE)]
