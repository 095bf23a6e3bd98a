"""The operations on tags."""

from typing import Annotated

from foas_emulator.gateway.evidence import inferred
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import Flag
from foas_emulator.operations.parameters import CurrentWorld, Filter, form, query
from foas_emulator.operations.tags import service
from foas_emulator.operations.tags.schemas import ListTagResourcesResponse, TaggedResource, TagList, TagResponse

group = Group("tags")

_TAGS = "/api/v2/cluster/tags"
_EVIDENCE = inferred("SDKs and metadata give names and the shape of the answer, and no text")

_ID = "demo4b0v6t1kq8y2w7x5z3ca"
_TAG = '[{"Key":"stage","Value":"test"}]'
_OnlyType = Annotated[str | None, query("ResourceType", "Kind of resource; cluster if left out.", "cluster")]


@group.writes("TagResources", "POST", _TAGS, evidence=_EVIDENCE)
async def tag_resources(
    world: CurrentWorld,
    resource_type: Annotated[
        str | None, form("ResourceType", "Kind of resource; cluster if left out.", "cluster")
    ] = None,
    resource_ids: Annotated[
        str | None, form("ResourceIds", "Ids: a JSON array, or commas between.", _ID, required=True)
    ] = None,
    tags: Annotated[
        str | None, form("Tags", "JSON, or k:v separated by commas.", _TAG, "stage:test", required=True)
    ] = None,
) -> TagResponse:
    """Put tags on clusters; a key that a cluster already has gets the new value.

    No SDK declares parameters for it: these are the ones of the related operations, in the body or the query.
    """
    service.tag_resources(world, resource_type=resource_type, resource_ids=resource_ids, tags=tags)
    return TagResponse.model_construct()


@group.reads("ListTagResources", "GET", _TAGS, evidence=_EVIDENCE)
async def list_tag_resources(
    world: CurrentWorld,
    resource_type: _OnlyType = None,
    resource_ids: Annotated[Filter, query("ResourceIds", "Only these: a JSON array, or commas between.", _ID)] = None,
    tags: Annotated[Filter, query("Tags", "Only these keys, and values: JSON, or k:v with commas.", "stage")] = None,
    next_token: Annotated[str | None, query("NextToken", "The NextToken of the answer before.", "50")] = None,
) -> ListTagResourcesResponse:
    """Return the tags of clusters, 50 at a time."""
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
        str | None, query("ResourceIds", "Ids: a JSON array, or commas between.", _ID, required=True)
    ] = None,
    tag_keys: Annotated[
        str | None, query("TagKeys", "Keys to take off: a JSON array, or commas; required without All.", "stage,owner")
    ] = None,
    everything: Annotated[Flag | None, query("All", "Whether to take off all tags.", False)] = None,
) -> TagResponse:
    """Remove tags from clusters: those with these keys, or all of them."""
    service.untag_resources(
        world,
        resource_type=resource_type,
        resource_ids=resource_ids,
        tag_keys=tag_keys,
        everything=bool(everything),
    )
    return TagResponse.model_construct()
