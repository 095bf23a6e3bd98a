"""The completion of names in a shell, for the options of all commands."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from foas_emulator.seeds.names import BUILT_IN

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completion = Callable[[click.Context, click.Parameter, str], list["CompletionItem"]]


def completing(names: Callable[[], Iterable[str]], *, or_files: bool = False) -> Completion:
    """Return the completion of a name, or of a file where no name begins with what is typed."""

    def complete(_context: click.Context, _parameter: click.Parameter, begin: str) -> list["CompletionItem"]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only shells that complete need it

        found = [CompletionItem(name) for name in names() if name.lower().startswith(begin.lower())]
        return found or ([CompletionItem(begin, type="file")] if or_files else [])

    return complete


def _operations() -> list[str]:
    # Imported here because they load the frameworks, which takes a while.
    from foas_emulator.loading import quickly  # noqa: PLC0415

    with quickly():
        from foas_emulator.operations.catalogue import OPERATIONS  # noqa: PLC0415

        return sorted(operation.name for operation in OPERATIONS)


SEEDS = completing(lambda: BUILT_IN, or_files=True)
"""Built-in seeds, or files."""
OPERATIONS = completing(_operations)
EFFECTS = completing(lambda: ("drop", "duplicate", "error=", "latency=", "reset", "stale", "truncate="))
"""What begins an effect of `fault arm`."""
