"""The table of tags, and the statement on it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, tuple_
from sqlmodel import Field

from foas_emulator.operations.paging import matching
from foas_emulator.world.tables import Row, equal


class Tag(Row, table=True):
    """One tag of a resource."""

    __tablename__ = "tags"

    resource_type: str = Field(primary_key=True)
    resource_id: str = Field(primary_key=True)
    tag_key: str = Field(primary_key=True)
    tag_value: str = ""


def select_tags(
    resource_type: str, resource_ids: Sequence[str] | None, pairs: Mapping[str, str | None] | None
) -> Select[Any]:
    """Select the tags of these resources with one of these keys and, if given, values; None lets every tag pass."""
    columns = Tag.table().c
    statement = matching(Tag, equal(Tag.resource_type, resource_type))
    if resource_ids is not None:
        statement = statement.where(columns.resource_id.in_(resource_ids))
    if pairs is not None:
        keys = [key for key, value in pairs.items() if value is None]
        valued = [(key, value) for key, value in pairs.items() if value is not None]
        is_one = columns.tag_key.in_(keys) | tuple_(columns.tag_key, columns.tag_value).in_(valued)
        statement = statement.where(is_one)
    return statement.order_by(columns.resource_id, columns.tag_key)
