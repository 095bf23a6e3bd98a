"""The access key of a world, in the form in which the SDKs' credential chains fetch one."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from foas_emulator.control.answers import Credentials, answers
from foas_emulator.control.paths import WorldName
from foas_emulator.gateway.access_keys import WORLD_SECRET, WORLD_TOKEN, world_key
from foas_emulator.world.names import WorldNameError

_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def credentials_router() -> APIRouter:
    """Return the route of each world's credentials under `/worlds/{world}/credentials`."""
    router = APIRouter(prefix="/worlds/{world}/credentials", tags=["worlds"])

    @router.get("", **answers(Credentials))
    async def get_credentials(name: WorldName) -> dict[str, Any]:
        """Return the key of a world and its token, for ALIBABA_CLOUD_CREDENTIALS_URI. This needs no control token."""
        access_key_id = world_key(name)
        if access_key_id is None:
            raise WorldNameError(name)
        return {
            "Code": "Success",
            "AccessKeyId": access_key_id,
            "AccessKeySecret": WORLD_SECRET,
            "SecurityToken": WORLD_TOKEN,
            "Expiration": f"{_LAST_SECOND:%Y-%m-%dT%H:%M:%SZ}",
        }

    return router
