"""Pages of lists."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypedDict

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from foas_emulator.gateway.errors import invalid
from foas_emulator.operations.texts import MOST_WEIGHT, OF_AN_ESCAPE, weight
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Condition, R, Row
from foas_emulator.world.world import World

LARGEST_PAGE = 100


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


def containing(statement: Select[Any], column: ColumnElement[Any], part: str | None) -> Select[Any]:
    """Keep the rows whose column contains a text; None keeps all. Known of the names of packages, else inferred."""
    return statement if part is None else statement.where(func.instr(column, part) > 0)


def page(world: World, model: type[R], statement: Select[Any], page_index: int, page_size: int) -> Page[R]:
    """Return one page of the rows that a statement selects. Raise as `page_of_parts` does."""
    everything = statement.order_by(None).subquery()
    total_count: int = world.store.execute(select(func.count()).select_from(everything)).scalar_one()

    def part(begin: int, end: int) -> Select[Any]:
        return statement.limit(end - begin).offset(begin)

    return page_of_parts(world, model, total_count, part, page_index=page_index, page_size=page_size)


def page_of_parts(
    world: World,
    model: type[R],
    total_count: int,
    part: Callable[[int, int], Select[Any]],
    *,
    page_index: int,
    page_size: int,
) -> Page[R]:
    """Return one page of so many rows, of which `part` selects those from one position to another.

    A page past the end is empty. Pages count from 1 and have 1 to 100 rows, else raise `InvalidpageIndex` or
    `InvalidpageSize`. The largest size is not documented; it is inferred. Raise `InvalidpageSize` also for several rows
    that weigh more than `MOST_WEIGHT`.
    """
    if page_index < 1:
        raise invalid("pageIndex", "pages count from 1.")
    if not 1 <= page_size <= LARGEST_PAGE:
        raise invalid("pageSize", f"a page holds 1 to {LARGEST_PAGE} items.")
    total_page = -(-total_count // page_size)
    # A page far past the end would give an offset that is too large for SQLite.
    begin = min(page_index - 1, total_page) * page_size
    of_page = part(begin, begin + page_size)
    if world.store.size > MOST_WEIGHT // OF_AN_ESCAPE:
        items = [*bounded(_one_by_one(world.store, model, of_page), parameter="pageSize")]
    else:
        items = world.store.fetch(model, of_page)
    figures = Figures(page_index=page_index, page_size=page_size, total_count=total_count, total_page=total_page)
    return Page(items=items, figures=figures)


def _one_by_one(store: Store, model: type[R], statement: Select[Any]) -> Iterator[R]:
    """Yield the rows that a statement selects; read one after another, so that too much is never read at once."""
    key = list(model.table().primary_key.columns)
    # Made once: to make it for each row would take longer than to run it.
    is_it = (column == bindparam(f"key_{column.name}") for column in key)
    one = statement.order_by(None).limit(None).offset(None).where(*is_it)
    for values in store.execute(statement.with_only_columns(*key)).all():
        yield from store.fetch(
            model, one, {f"key_{column.name}": each for column, each in zip(key, values, strict=True)}
        )


def bounded(rows: Iterable[R], *, parameter: str) -> Iterator[R]:
    """Yield rows that a parameter asks for. Raise `Invalid{parameter}` once several weigh more than `MOST_WEIGHT`."""
    total = 0
    for count, row in enumerate(rows, 1):
        total += weight(row)
        if total > MOST_WEIGHT and count > 1:
            raise invalid(
                parameter,
                f"{count} of its items have over {MOST_WEIGHT} characters, in which one that is escaped counts "
                f"{OF_AN_ESCAPE} times; ask for fewer items at a time.",
            )
        yield row
