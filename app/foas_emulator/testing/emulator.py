"""An emulator in this process."""

from typing import TYPE_CHECKING, Any, Self

from foas_emulator.testing.server import Server

__tracebackhide__ = True

if TYPE_CHECKING:
    from foas_emulator.testing.in_thread import ThreadedServer


class Emulator(Server):
    """An emulator that serves from a thread of this process, only for this machine, inside a `with` block.

    Its settings are those of `foas-emulator serve`, written as there: `Emulator(seed=["my.yaml"], start_delay="30s")`.
    Without `port` it uses a free one.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._running: ThreadedServer | None = None

    def __getattr__(self, name: str) -> Any:
        if name in ("control", "url"):  # a property that raises AttributeError is looked for here, too
            raise AttributeError("an Emulator serves inside a `with` block; use it there")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __enter__(self) -> Self:
        if self._running is not None:
            raise RuntimeError("this Emulator serves already; make another one")
        # Imported on first use rather than with the pytest plugin, because it loads the whole emulator.
        from foas_emulator.testing.in_thread import ThreadedServer, settings_of  # noqa: PLC0415

        settings = settings_of(self._settings)
        self._running = ThreadedServer(settings, port=0 if self._settings.get("port") is None else settings.port)
        try:
            super().__init__(self._running.url, control_token=settings.control_token)
        except BaseException:  # a KeyboardInterrupt, for which there is no `__exit__` yet
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None
