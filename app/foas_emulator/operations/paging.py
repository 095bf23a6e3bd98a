"""Pages of lists."""

from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar

from sqlalchemy import Select, func, select

from foas_emulator.gateway.errors import invalid
from foas_emulator.world.store import Condition, Row
from foas_emulator.world.world import World

LARGEST_PAGE = 100

R = TypeVar("R", bound=Row)


class Figures(TypedDict):
    """The members of a paged answer besides its list."""

    page_index: int
    page_size: int
    total_count: int
    total_page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[R]):
    """One page of a list, with the figures for its answer."""

    items: list[R]
    figures: Figures


def matching(model: type[Row], *filters: Condition) -> Select[Any]:
    """Select the rows that pass the filters of a list; a filter whose value is None lets every row pass."""
    table = model.table()
    return select(table).where(*(table.c[name] == value for name, value in filters if value is not None))


def page(world: World, model: type[R], statement: Select[Any], page_index: int, page_size: int) -> Page[R]:
    """Return one page of the rows that a statement selects; a page past the end is empty.

    Pages count from 1 and have 1 to 100 rows, else raise `InvalidpageIndex` or `InvalidpageSize`. The largest size is
    not documented; it is inferred.
    """
    if page_index < 1:
        raise invalid("pageIndex", "pages count from 1.")
    if not 1 <= page_size <= LARGEST_PAGE:
        raise invalid("pageSize", f"a page holds 1 to {LARGEST_PAGE} items.")
    everything = statement.order_by(None).subquery()
    total_count: int = world.store.execute(select(func.count()).select_from(everything)).scalar_one()
    total_page = -(-total_count // page_size)
    # A page far past the end would give an offset that is too large for SQLite.
    offset = min(page_index - 1, total_page) * page_size
    items = world.store.fetch(model, statement.limit(page_size).offset(offset))
    figures = Figures(page_index=page_index, page_size=page_size, total_count=total_count, total_page=total_page)
    return Page(items=items, figures=figures)
