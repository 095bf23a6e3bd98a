"""The routes of the control API."""

from fastapi import APIRouter

from foas_emulator.world.registry import Registry


def control_router(_registry: Registry) -> APIRouter:
    """The control API over a registry of worlds."""
    router = APIRouter(prefix="/_emulator", tags=["emulator"])

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Answers as soon as the emulator serves requests."""
        return {"status": "ok"}

    return router
