"""The operations on tags. The service documents only the shape of the answers, so all the rest is inferred.

A list of names or tags in one parameter is JSON (`["a","b"]`, `{"k":"v"}`, `[{"Key":"k","Value":"v"}]`) or text with
commas (`a,b`, `k:v,k=v,k`).
"""

import re
from typing import Any

from foas_emulator.blink import lenient_json
from foas_emulator.gateway.errors import ApiError, invalid, problem
from foas_emulator.operations.clusters import service as clusters
from foas_emulator.operations.required import LONGEST_NAME, check_count, given, listed, named
from foas_emulator.operations.tags.rows import Tag, select_tags
from foas_emulator.world.tables import equal
from foas_emulator.world.world import World

CLUSTER = "cluster"
"""The default resource type."""

MOST_TAGS = 200
"""The most tags of a cluster of one type. The number is ours."""
MOST_TAGS_OF_WORLD = 100_000
"""The most tags of all clusters and types: a list may have to look at each. The number is ours."""
TOO_MANY = problem("InvalidTag.LimitExceeded", 400, "The resource has the largest number of tags already.")

_MOST_PUT = 500
"""The most tags that one call puts on clusters; each costs three statements. The number is ours."""
_MOST_CLEARED = 200
"""The most clusters that one call takes all tags off. The number is ours."""
_PAGE_SIZE = 50
_TOKEN = re.compile("[1-9][0-9]{1,17}")
_SEPARATOR = re.compile("[:=]")
_COMMAS_OF_AN_ITEM = 4
"""More than there are in an item of a JSON array, with the one after it."""
_NAME_IN_ITEM = ("Key", "TagKey", "key", "tagKey")
_VALUE_IN_ITEM = ("Value", "TagValue", "value", "tagValue")


def tag_resources(world: World, *, resource_type: str | None, resource_ids: str | None, tags: str | None) -> None:
    """Put tags on clusters; a key that a cluster already has gets the new value.

    Raise `InvalidCluster.NotFound`, or `InvalidTag.LimitExceeded` for a cluster or a world that would have too many.
    """
    cluster_ids = _read_ids(resource_ids)
    pairs = _read_tags(given("Tags", tags))
    if not pairs:
        raise invalid("Tags", "give at least one tag.")
    check_count("Tags", len(cluster_ids) * len(pairs), most=_MOST_PUT)
    kind = named("ResourceType", resource_type or CLUSTER)
    for cluster_id in cluster_ids:
        clusters.require(world, cluster_id)
        for key, value in pairs.items():
            world.store.delete(
                Tag, equal(Tag.resource_type, kind), equal(Tag.resource_id, cluster_id), equal(Tag.tag_key, key)
            )
            row = Tag.model_construct(resource_type=kind, resource_id=cluster_id, tag_key=key, tag_value=value or "")
            world.store.insert(row)
        if world.store.count(Tag, equal(Tag.resource_type, kind), equal(Tag.resource_id, cluster_id)) > MOST_TAGS:
            raise TOO_MANY(f"Cluster {cluster_id!r} would have more than {MOST_TAGS} tags; UntagResources first.")
    if world.store.count(Tag) > MOST_TAGS_OF_WORLD:
        raise TOO_MANY(f"World {world.name} would have more than {MOST_TAGS_OF_WORLD} tags; UntagResources first.")


def list_tag_resources(
    world: World, *, resource_type: str | None, resource_ids: str | None, tags: str | None, next_token: str | None
) -> tuple[list[Tag], str | None]:
    """Return 50 tags of these clusters with one of these keys and, if given, values, by cluster and key.

    The second part of the result is the token of the next page, None on the last one.
    """
    cluster_ids = None if resource_ids is None else _read_names("ResourceIds", resource_ids)
    pairs = None if tags is None else _read_tags(tags)
    start = _read_token(next_token)
    statement = select_tags(resource_type or CLUSTER, cluster_ids, pairs)
    found = world.store.fetch(Tag, statement.limit(_PAGE_SIZE + 1).offset(start))
    if start and not found:
        raise _wrong_token()
    return found[:_PAGE_SIZE], str(start + _PAGE_SIZE) if len(found) > _PAGE_SIZE else None


def untag_resources(
    world: World, *, resource_type: str | None, resource_ids: str | None, tag_keys: str | None, everything: bool
) -> None:
    """Remove tags from clusters: those with these keys, or all. A key that a cluster does not have is not an error."""
    cluster_ids = _read_ids(resource_ids)
    if everything:
        check_count("ResourceIds", len(cluster_ids), most=_MOST_CLEARED)
    keys = [] if everything else _read_names("TagKeys", given("TagKeys", tag_keys))
    check_count("TagKeys", len(cluster_ids) * len(keys))
    for cluster_id in cluster_ids:
        where = [equal(Tag.resource_type, resource_type or CLUSTER), equal(Tag.resource_id, cluster_id)]
        if everything:
            world.store.delete(Tag, *where)
        for key in keys:
            world.store.delete(Tag, *where, equal(Tag.tag_key, key))


def _read_ids(resource_ids: str | None) -> list[str]:
    cluster_ids = _read_names("ResourceIds", given("ResourceIds", resource_ids))
    if not cluster_ids:
        raise invalid("ResourceIds", "name at least one cluster.")
    return cluster_ids


def _read_token(token: str | None) -> int:
    if not token:
        return 0
    if not _TOKEN.fullmatch(token) or int(token) % _PAGE_SIZE:
        raise _wrong_token()
    return int(token)


def _wrong_token() -> ApiError:
    return invalid("NextToken", "hand back the NextToken of the answer before, unchanged.")


def _read_names(parameter: str, text: str) -> list[str]:
    """Return names, each once, in their order. Raise `Invalid{parameter}` for JSON that is not an array of texts."""
    names = _parse(parameter, text)
    if names is None:
        names = listed(parameter, text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid(parameter, 'write a JSON array of texts, or names with commas between: ["a","b"] or a,b.')
    check_count(parameter, len(names))
    return list(dict.fromkeys(name for name in names if name))


def _read_tags(text: str) -> dict[str, str | None]:
    """Return keys with their values; None for a key alone. Raise `InvalidTags`."""
    given = _parse("Tags", text)
    if given is None:
        pairs = [_pair(item) for item in listed("Tags", text) if item]
    elif isinstance(given, dict) and _key_of(given) is None:
        pairs = list(given.items())
    else:
        items = given if isinstance(given, list) else [given]
        pairs = [(_key_of(item), _first(item, _VALUE_IN_ITEM)) for item in items]
    check_count("Tags", len(pairs))
    if not all(isinstance(key, str) and key and isinstance(value, str | None) for key, value in pairs):
        raise invalid("Tags", 'write [{"Key":"k","Value":"v"}], {"k":"v"}, or k:v with commas between.')
    if any(len(text or "") > LONGEST_NAME for pair in pairs for text in pair):
        raise invalid("Tags", f"keys and values have at most {LONGEST_NAME} characters.")
    return {str(key): value for key, value in pairs}


def _parse(parameter: str, text: str) -> Any:
    """Return the JSON value of a text, or None if the text does not begin like JSON."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    check_count(parameter, text.count(",") // _COMMAS_OF_AN_ITEM)  # before it is parsed
    try:
        return lenient_json.parse_strictly(text)
    except ValueError as error:
        raise invalid(parameter, f"{text!r} begins like JSON, and is not: {error}.") from None


def _pair(item: str) -> tuple[str, str | None]:
    key, *value = _SEPARATOR.split(item.strip(), maxsplit=1)
    return key.strip(), value[0].strip() if value else None


def _key_of(item: Any) -> Any:
    return _first(item, _NAME_IN_ITEM)


def _first(item: Any, names: tuple[str, ...]) -> Any:
    members = item if isinstance(item, dict) else {}
    return next((members[name] for name in names if name in members), None)
