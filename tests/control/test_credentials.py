"""Credentials of a world, as a credential chain fetches and uses them."""

import httpx
import pytest

from foas_emulator.testing import Emulator
from tests.process import DIRECTLY
from tests.wire import INSTANCE, signed_v1


@pytest.mark.parametrize("token", [None, "secret"])
def test_they_open_the_world_of_a_strict_server_and_need_no_control_token(token: str | None) -> None:
    accept = {"accept": "application/json"}
    with Emulator(signature="strict", control_token=token) as emulator, httpx.Client(**DIRECTLY) as client:
        answer = client.get(f"{emulator.url}/_emulator/worlds/mine/credentials").json()
        assert (answer["Code"], answer["AccessKeyId"]) == ("Success", "world-mine")
        assert answer["Expiration"] == "9999-12-31T23:59:59Z"
        key, secret = answer["AccessKeyId"], answer["AccessKeySecret"]
        for token_header in ({"x-acs-security-token": answer["SecurityToken"]}, {}):
            headers = signed_v1(key=key, secret=secret, headers=accept | token_header)
            assert client.get(emulator.url + INSTANCE, headers=headers).status_code == 200
        wrong = signed_v1(key=key, secret=secret, headers=accept | {"x-acs-security-token": "other"})
        refused = client.get(emulator.url + INSTANCE, headers=wrong).json()
        assert refused["Code"] == "InvalidSecurityToken.MismatchWithAccessKey"


def test_asking_for_them_makes_no_world_and_a_name_that_is_none_is_refused() -> None:
    with Emulator() as emulator, httpx.Client(**DIRECTLY) as client:
        assert client.get(f"{emulator.url}/_emulator/worlds/mine/credentials").status_code == 200
        assert emulator.worlds() == ["default"]
        assert client.get(f"{emulator.url}/_emulator/worlds/-no-/credentials").status_code == 400
