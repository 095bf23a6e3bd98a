"""The access key of a world, in the form in which the SDKs' credential chains fetch one."""

from typing import Any

from fastapi import APIRouter

from foas_emulator.control.answers import Credentials, answers
from foas_emulator.control.paths import WorldName
from foas_emulator.gateway.access_keys import WORLD_SECRET, WORLD_TOKEN
from foas_emulator.world.names import check_name


def credentials_router() -> APIRouter:
    """Return the route of each world's credentials under `/worlds/{world}/credentials`."""
    router = APIRouter(prefix="/worlds/{world}/credentials", tags=["worlds"])

    @router.get("", **answers(Credentials))
    async def get_credentials(name: WorldName) -> dict[str, Any]:
        """Return the key of a world and its token, for ALIBABA_CLOUD_CREDENTIALS_URI. This needs no control token."""
        check_name(name)
        return {
            "Code": "Success",
            "AccessKeyId": f"world-{name}",
            "AccessKeySecret": WORLD_SECRET,
            "SecurityToken": WORLD_TOKEN,
            "Expiration": "9999-12-31T23:59:59Z",
        }

    return router
