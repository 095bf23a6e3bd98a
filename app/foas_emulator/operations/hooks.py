"""How a group of operations reaches the groups above it.

The groups stand in one order, and none imports a group above its own. What a group has to ask or tell upwards is a hook
or a signal in its `service.py`; `catalogue.py` connects the functions of the other groups to it.
"""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Hook(Generic[P, T]):
    """A function that a group calls and a group above it provides."""

    def __init__(self) -> None:
        self._function: Callable[P, T] | None = None

    def connect(self, function: Callable[P, T]) -> None:
        """Make `function` the one that is called."""
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        assert self._function is not None, "operations.catalogue connects every hook"
        return self._function(*args, **kwargs)


class Signal(Generic[P]):
    """An event of a group in which groups above it take part, each with a function of its own."""

    def __init__(self) -> None:
        self._receivers: tuple[Callable[P, None], ...] = ()

    def connect(self, *receivers: Callable[P, None]) -> None:
        """Make `receivers` those that are called."""
        self._receivers = receivers

    def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every receiver, in the order in which they were connected."""
        for receiver in self._receivers:
            receiver(*args, **kwargs)
