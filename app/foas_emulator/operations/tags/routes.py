"""The operations on tags."""

from typing import Annotated

from fastapi import Form, Query

from foas_emulator.gateway.evidence import inferred
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import REFUSED_WITHOUT, Flag
from foas_emulator.operations.parameters import CurrentWorld
from foas_emulator.operations.tags import service
from foas_emulator.operations.tags.schemas import ListTagResourcesResponse, TaggedResource, TagList, TagResponse

group = Group("tags")

_TAGS = "/api/v2/cluster/tags"
_EVIDENCE = inferred("SDKs and metadata give names and the shape of the answer, and no text")

_ID = "demo4b0v6t1kq8y2w7x5z3ca"
_TAG = '[{"Key":"stage","Value":"test"}]'
_OnlyType = Annotated[
    str | None, Query(alias="ResourceType", description="Kind of resource; cluster if left out.", examples=["cluster"])
]


@group.writes("TagResources", "POST", _TAGS, evidence=_EVIDENCE)
async def tag_resources(
    world: CurrentWorld,
    resource_type: Annotated[
        str | None,
        Form(alias="ResourceType", description="Kind of resource; cluster if left out.", examples=["cluster"]),
    ] = None,
    resource_ids: Annotated[
        str | None,
        Form(
            alias="ResourceIds",
            description="Ids: a JSON array, or commas between.",
            json_schema_extra=REFUSED_WITHOUT,
            examples=[_ID],
        ),
    ] = None,
    tags: Annotated[
        str | None,
        Form(
            alias="Tags",
            description="JSON, or k:v with commas between.",
            json_schema_extra=REFUSED_WITHOUT,
            examples=[_TAG, "stage:test"],
        ),
    ] = None,
) -> TagResponse:
    """Put tags on clusters; a key that a cluster has already takes the new value.

    No SDK declares a parameter for it: these are the ones of its sisters, read from the body or the query.
    """
    service.tag_resources(world, resource_type=resource_type, resource_ids=resource_ids, tags=tags)
    return TagResponse.model_construct()


@group.reads("ListTagResources", "GET", _TAGS, evidence=_EVIDENCE)
async def list_tag_resources(
    world: CurrentWorld,
    resource_type: _OnlyType = None,
    resource_ids: Annotated[
        str | None,
        Query(alias="ResourceIds", description="Only these: a JSON array, or commas between.", examples=[_ID]),
    ] = None,
    tags: Annotated[
        str | None,
        Query(alias="Tags", description="Only these keys, and values: JSON, or k:v with commas.", examples=["stage"]),
    ] = None,
    next_token: Annotated[
        str | None, Query(alias="NextToken", description="The NextToken of the answer before.", examples=["50"])
    ] = None,
) -> ListTagResourcesResponse:
    """The tags of clusters, 50 at a time."""
    found, token = service.list_tag_resources(
        world, resource_type=resource_type, resource_ids=resource_ids, tags=tags, next_token=next_token
    )
    shown = [TaggedResource.from_row(tag) for tag in found]
    return ListTagResourcesResponse.model_construct(data=TagList.model_construct(next_token=token, tag_resources=shown))


@group.writes("UntagResources", "DELETE", _TAGS, evidence=_EVIDENCE)
async def untag_resources(
    world: CurrentWorld,
    resource_type: _OnlyType = None,
    resource_ids: Annotated[
        str | None,
        Query(
            alias="ResourceIds",
            description="Ids: a JSON array, or commas between.",
            json_schema_extra=REFUSED_WITHOUT,
            examples=[_ID],
        ),
    ] = None,
    tag_keys: Annotated[
        str | None,
        Query(
            alias="TagKeys",
            description="Keys to take off: a JSON array, or commas; required without All.",
            examples=["stage,owner"],
        ),
    ] = None,
    everything: Annotated[
        Flag | None, Query(alias="All", description="Whether to take off all tags.", examples=[False])
    ] = None,
) -> TagResponse:
    """Take tags off clusters: those of these keys, or all of them."""
    service.untag_resources(
        world,
        resource_type=resource_type,
        resource_ids=resource_ids,
        tag_keys=tag_keys,
        everything=bool(everything),
    )
    return TagResponse.model_construct()
