"""For `uvicorn app.main:app` in a checkout; the application itself is `foas_emulator.main`."""

from foas_emulator.main import app

__all__ = ["app"]
