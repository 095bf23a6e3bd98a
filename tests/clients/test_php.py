"""PHP's alibabacloud/client: signature V1, answers as arrays. It runs where Composer can fetch it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typing_extensions import override

from tests.clients.builds import PHP, built
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Format, Refusal, Step

pytestmark = pytest.mark.xdist_group("clients-php")


class Php(Dialect):
    name = "php"
    exception = r"AlibabaCloud\Client\Exception\ServerException"
    wrong_secret = Refusal(
        code="InvalidAccessKeySecret", status=400, message="Specified Access Key Secret is not valid."
    )

    @override
    def members(self, result: Any, wire: Format) -> dict[str, Any]:
        return dict(result) if wire == "JSON" else _without_empty_arrays(result)


def _without_empty_arrays(members: dict[str, Any]) -> dict[str, Any]:
    """An empty element of XML is an empty array."""
    return {
        name: _without_empty_arrays(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value != []
    }


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    with Sdk(["php", str(built(PHP) / "drive.php")]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_php_sdk_makes_the_step(step: Step, sdk: Sdk, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=Php(), endpoint=server(step.signature))
