"""The rules of tags. The service documents the shape of the answers and nothing else, so all of it is inferred."""

from dataclasses import dataclass

from foas_emulator.gateway.errors import invalid
from foas_emulator.operations.clusters import rules as clusters
from foas_emulator.operations.required import given
from foas_emulator.operations.tags.notation import read_names, read_tags
from foas_emulator.operations.tags.rows import Tag
from foas_emulator.world.store import equal
from foas_emulator.world.world import World

CLUSTER = "cluster"
"""The resource type where none is given."""

_PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPage:
    """Tags by resource and key, and where to go on: a text to hand back, None at the end."""

    tags: list[Tag]
    next_token: str | None


def tag(world: World, *, resource_type: str | None, resource_ids: str | None, tags: str | None) -> None:
    """Put tags on clusters; a key that a cluster has takes the new value. Raises `InvalidCluster.NotFound`."""
    cluster_ids = _read_ids(resource_ids)
    pairs = read_tags("Tags", given("Tags", tags))
    if not pairs:
        raise invalid("Tags", "give at least one tag.")
    kind = resource_type or CLUSTER
    for cluster_id in cluster_ids:
        clusters.require(world, cluster_id)
        for key, value in pairs.items():
            world.store.delete(
                Tag, equal(Tag.resource_type, kind), equal(Tag.resource_id, cluster_id), equal(Tag.tag_key, key)
            )
            row = Tag.model_construct(resource_type=kind, resource_id=cluster_id, tag_key=key, tag_value=value or "")
            world.store.insert(row)


def untag(
    world: World, *, resource_type: str | None, resource_ids: str | None, tag_keys: str | None, everything: bool
) -> None:
    """Take tags off clusters: those of these keys, or all. What a cluster does not have is no mistake."""
    cluster_ids = _read_ids(resource_ids)
    keys = [] if everything else read_names("TagKeys", given("TagKeys", tag_keys))
    for cluster_id in cluster_ids:
        where = [equal(Tag.resource_type, resource_type or CLUSTER), equal(Tag.resource_id, cluster_id)]
        if everything:
            world.store.delete(Tag, *where)
        for key in keys:
            world.store.delete(Tag, *where, equal(Tag.tag_key, key))


def list_tags(
    world: World,
    *,
    resource_type: str | None,
    resource_ids: str | None,
    tags: str | None,
    next_token: str | None,
) -> TagPage:
    """Tags of clusters: of these clusters, with one of these keys (and its value, if one is given), 50 at a time."""
    cluster_ids = None if resource_ids is None else read_names("ResourceIds", resource_ids)
    pairs = None if tags is None else read_tags("Tags", tags)
    found = [
        row
        for row in world.store.find(Tag, equal(Tag.resource_type, resource_type or CLUSTER))
        if (cluster_ids is None or row.resource_id in cluster_ids) and (pairs is None or _is_one_of(pairs, row))
    ]
    start = _read_token(next_token, len(found))
    end = start + _PAGE_SIZE
    return TagPage(tags=found[start:end], next_token=str(end) if end < len(found) else None)


def _read_ids(resource_ids: str | None) -> list[str]:
    cluster_ids = read_names("ResourceIds", given("ResourceIds", resource_ids))
    if not cluster_ids:
        raise invalid("ResourceIds", "name at least one cluster.")
    return cluster_ids


def _is_one_of(pairs: dict[str, str | None], row: Tag) -> bool:
    return row.tag_key in pairs and pairs[row.tag_key] in (None, row.tag_value)


def _read_token(token: str | None, count: int) -> int:
    if not token:
        return 0
    if token not in map(str, range(_PAGE_SIZE, count, _PAGE_SIZE)):
        raise invalid("NextToken", "hand back the NextToken of the answer before, unchanged.")
    return int(token)
