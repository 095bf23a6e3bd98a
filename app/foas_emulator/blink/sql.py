"""Read Blink SQL: the tables that a job declares, reads and writes, and the definite errors in its code.

The documented rules of the dialect are checked (declared tables with a `type`, PERIOD FOR SYSTEM_TIME and FOR
SYSTEM_TIME AS OF for dimension tables, case-insensitive names); everything else is accepted. That is inferred: the
service's own parser refuses more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from foas_emulator.blink.errors import SqlError
from foas_emulator.blink.references import Query
from foas_emulator.blink.statements import Function, Insert, Select, Statement, Table, Unknown, Use, View, statements_of
from foas_emulator.blink.tokens import Positions, tokens_of

# The property with the table's name in its store depends on the store (DDL pages of the SQL reference).
_NAME_PROPERTIES = ("tableName", "topic", "logStore", "index", "collection")


@dataclass(frozen=True, slots=True)
class TableUse:
    """A declared table in the part it plays for a job, as ValidateJob reports it.

    `alias` is the name in the script and `name` that in the external store, None if no property gives it: the
    documented answer has the script's names as Alias and, for tables whose only property is `type`, no Name.
    `workspace` is the store's project, else empty for a result table and None for others, as in that answer.
    """

    name: str | None
    alias: str
    type: str
    workspace: str | None
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Script:
    """A script without definite errors, as its statements in order."""

    statements: tuple[Statement, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(statement for statement in self.statements if isinstance(statement, Table))

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(statement for statement in self.statements if isinstance(statement, Function))

    @property
    def inserts(self) -> tuple[Insert, ...]:
        return tuple(statement for statement in self.statements if isinstance(statement, Insert))

    @property
    def inputs(self) -> tuple[TableUse, ...]:
        """The tables that are read in FROM or JOIN, in order of declaration."""
        read_plainly = {name for query in _queries(self.statements) for name in _names(query, temporal=False)}
        return tuple(_use(table) for table in self.tables if table.key in read_plainly and not table.dimension)

    @property
    def outputs(self) -> tuple[TableUse, ...]:
        """The tables that INSERT INTO writes, in order of declaration."""
        written = {insert.target.casefold() for insert in self.inserts}
        return tuple(_use(table, workspace="") for table in self.tables if table.key in written)

    @property
    def dims(self) -> tuple[TableUse, ...]:
        """The tables that are joined as of a point in time, or read and declared to be so, in order of declaration."""
        temporal = {name for query in _queries(self.statements) for name in _names(query, temporal=True)}
        plain = {name for query in _queries(self.statements) for name in _names(query, temporal=False)}
        return tuple(
            _use(table) for table in self.tables if table.key in temporal or (table.dimension and table.key in plain)
        )


def read(code: str, *, passed_over: list[Unknown] | None = None) -> Script:
    """Read a script. Raise `SqlError` for the first definite error in it.

    Parts that are no statements are added to `passed_over`, as far as the script could be read.
    """
    found, unknown = _read(code)
    if passed_over is not None:
        passed_over += unknown
    if isinstance(found, SqlError):
        raise SqlError(found.message, line=found.line, column=found.column)  # a new one: this one may be raised again
    return found


@lru_cache(maxsize=1)  # a start checks the script and makes a plan of it, and polls come in a row
def _read(code: str) -> tuple[Script | SqlError, tuple[Unknown, ...]]:
    positions = Positions(code)
    statements: list[Statement] = []
    unknown: list[Unknown] = []
    try:
        for statement in statements_of(tuple(tokens_of(code, positions)), positions):
            if isinstance(statement, Unknown):
                unknown.append(statement)
            else:
                statements.append(statement)
    except SqlError as error:
        return error.with_traceback(None), tuple(unknown)
    script = Script(tuple(statements))
    errors = sorted([*_untyped_tables(script), *_undeclared_tables(script)])
    return positions.error(errors[0][1], errors[0][0]) if errors else script, tuple(unknown)


def _untyped_tables(script: Script) -> Iterator[tuple[int, str]]:
    for table in script.tables:
        if not table.property_of("type"):
            yield table.offset, f"Table '{table.name}' has no type, WITH must set it"


def _undeclared_tables(script: Script) -> Iterator[tuple[int, str]]:
    if any(isinstance(statement, Use) for statement in script.statements):
        return
    declared = {item.name.casefold() for item in script.statements if isinstance(item, Table | View)}
    for insert in script.inserts:
        if not insert.qualified and insert.target.casefold() not in declared:
            yield insert.offset, f"Table '{insert.target}' not found"
    for query in _queries(script.statements):
        for reference in query.references:
            name = reference.name.casefold()
            known = name in declared or name in query.common_tables
            if not (known or reference.function or reference.qualified):
                yield reference.offset, f"Table '{reference.name}' not found"


def _queries(statements: Iterable[Statement]) -> Iterator[Query]:
    for statement in statements:
        if isinstance(statement, View | Insert | Select):
            yield statement.query


def _names(query: Query, *, temporal: bool) -> Iterator[str]:
    for reference in query.references:
        name = reference.name.casefold()
        if reference.temporal is temporal and not reference.function and name not in query.common_tables:
            yield name


def _use(table: Table, *, workspace: str | None = None) -> TableUse:
    return TableUse(
        name=table.property_of(*_NAME_PROPERTIES),
        alias=table.name,
        type=table.property_of("type") or "",
        workspace=table.property_of("project") or workspace,
        properties=table.properties,
    )
