"""Every hook and signal is connected, and called as it was declared."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages

import pytest

import foas_emulator.operations
from foas_emulator.operations.hooks import Hook, Signal

MODULES = [
    import_module(module.name)
    for module in walk_packages(foas_emulator.operations.__path__, "foas_emulator.operations.")
    if not module.ispkg
]
DECLARED = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Hook | Signal)
}


@pytest.mark.parametrize("name", DECLARED)
def test_catalogue_connects_every_hook_and_signal(name: str) -> None:
    declared = DECLARED[name]
    assert declared._function if isinstance(declared, Hook) else declared._receivers


def test_there_are_hooks_and_signals() -> None:
    assert {type(declared) for declared in DECLARED.values()} == {Hook, Signal}


def test_hook_returns_what_its_function_returns() -> None:
    hook: Hook[[int], str] = Hook()
    hook.connect(str)
    assert hook(3) == "3"


def test_hook_without_a_function_says_who_connects_it() -> None:
    hook: Hook[[], None] = Hook()
    with pytest.raises(AssertionError, match="catalogue"):
        hook()


def test_signal_calls_its_receivers_in_order() -> None:
    called: list[tuple[str, int]] = []

    def receiver(name: str) -> Callable[[int], None]:
        return lambda number: called.append((name, number))

    signal: Signal[[int]] = Signal()
    signal.send(1)
    signal.connect(receiver("first"), receiver("second"))
    signal.send(2)
    assert called == [("first", 2), ("second", 2)]
