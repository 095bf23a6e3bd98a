"""The byte budget of the databases of all worlds in memory."""

import sqlite3

from foas_emulator.world.file_errors import WorldFullError
from foas_emulator.world.soundness import PAGE_SIZE

_LONGEST_GROWTH = 256 * 1024 * 1024
"""The most bytes by which one transaction lets a database grow; where the budget has more left, none is limited."""
_NO_LIMIT = 2**32 - 2
"""The most pages of any database."""


class DatabaseBudget:
    """The bytes that the databases of all worlds in memory have together, and the most that they may have."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self.size = 0

    def require(self, size: int) -> None:
        """Raise `WorldFullError` if they may not grow by so many bytes."""
        if size > 0 and self.size + size > self.limit:
            raise self.exhausted()

    def exhausted(self) -> WorldFullError:
        """Return the error of a world that may not grow."""
        return WorldFullError(
            f"all those in memory hold {self.size} bytes together and may hold {self.limit}",
            "drop some, serve with --data-dir, or allow more with the setting world_bytes",
        )


class Share:
    """What one database takes of a budget."""

    def __init__(self, budget: DatabaseBudget, connection: sqlite3.Connection) -> None:
        self.budget = budget
        self.is_limited = False
        """Whether the growth of the database is limited by what the budget has left."""
        self._counted = 0
        self.count(connection)

    def count(self, connection: sqlite3.Connection) -> None:
        """Count the database as large as it is now. Every write ends with this."""
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        self._set(pages * PAGE_SIZE)

    def limit_growth(self, connection: sqlite3.Connection) -> None:
        """Let the database grow by as much as the budget has left, in the transaction that begins."""
        room = max(0, self.budget.limit - self.budget.size)  # what was admitted before may take more
        if room >= _LONGEST_GROWTH and not self.is_limited:
            return
        self.is_limited = room < _LONGEST_GROWTH
        most = (self._counted + room) // PAGE_SIZE if self.is_limited else _NO_LIMIT
        connection.execute(f"PRAGMA max_page_count = {most}")

    def lift_limit(self, connection: sqlite3.Connection) -> None:
        """Let the database grow, in the transaction that begins, by what was admitted before: changes that are due."""
        if self.is_limited:
            connection.execute(f"PRAGMA max_page_count = {_NO_LIMIT}")
            self.is_limited = False

    def require(self, image: bytes) -> None:
        """Raise `WorldFullError` if an image does not fit in place of the database."""
        self.budget.require(len(image) - self._counted)

    def replaced(self, image: bytes) -> None:
        """Count an image that has taken the place of the database; SQLite would read its schema to count its pages."""
        self._set(len(image))

    def release(self) -> None:
        """Take nothing of the budget any more."""
        self._set(0)

    def _set(self, size: int) -> None:
        self.budget.size += size - self._counted
        self._counted = size
