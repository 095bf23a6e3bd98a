"""Count the rows that are read from worlds' databases."""

from typing import Any

import pytest

from foas_emulator.world import store, tables
from foas_emulator.world.tables import Row


def models_read(monkeypatch: pytest.MonkeyPatch) -> list[type[Row]]:
    """Return a list to which the model of every row is added that is read from now on."""
    read: list[type[Row]] = []
    make = tables.row_of_columns

    def noting(model: type[Row], columns: Any) -> Row:
        read.append(model)
        return make(model, columns)

    for module in (store, tables):
        monkeypatch.setattr(module, "row_of_columns", noting)
    return read
