"""Parameters that several groups of operations share."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from foas_emulator.gateway.parameters import Int32, Int64
from foas_emulator.operations.paging import LARGEST_PAGE
from foas_emulator.world.world import World


async def _world_of(request: Request) -> World:
    """Return the world that the pipeline chose for a request."""
    world: World = request.state.call.world
    return world


CurrentWorld = Annotated[World, Depends(_world_of)]
ProjectName = Annotated[str, Path(alias="projectName", description="Name of the project.", examples=["project1"])]
JobName = Annotated[str, Path(alias="jobName", description="Name of the job.", examples=["job1"])]
InstanceId = Annotated[
    Int64,
    Path(
        alias="instanceId",
        description="Id of the instance, from StartJob or ListInstance; -1 is the current one of a stream job.",
        json_schema_extra={"minimum": -1},
        examples=[412536],
    ),
]
ClusterId = Annotated[
    str,
    Path(
        alias="clusterId",
        description="Id of the cluster, not its display name; ListCluster shows it.",
        examples=["demo4b0v6t1kq8y2w7x5z3ca"],
    ),
]
PageIndex = Annotated[
    Int32,
    Query(alias="pageIndex", description="Number of the page, from 1.", json_schema_extra={"minimum": 1}, examples=[1]),
]
PageSize = Annotated[
    Int32,
    Query(
        alias="pageSize",
        description="Items on a page, 1 to 100.",
        json_schema_extra={"minimum": 1, "maximum": LARGEST_PAGE},
        examples=[10],
    ),
]
