"""Hooks and signals, by which a group of operations reaches the groups above it.

The groups have one order, and none imports a group above its own. A group asks those above it through a hook and
notifies them through a signal in its `service.py`; `catalogue.py` connects the functions of the other groups.
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
        """Set the function to call."""
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        assert self._function is not None, "operations.catalogue connects every hook"
        return self._function(*args, **kwargs)


class Signal(Generic[P]):
    """An event of a group for which groups above it have functions."""

    def __init__(self) -> None:
        self._receivers: tuple[Callable[P, None], ...] = ()

    def connect(self, *receivers: Callable[P, None]) -> None:
        """Set the functions to call."""
        self._receivers = receivers

    def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every receiver, in the order in which they were connected."""
        for receiver in self._receivers:
            receiver(*args, **kwargs)
