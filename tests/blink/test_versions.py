import pytest

from foas_emulator.blink.versions import is_older


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [
        ("blink-3.4.4", "3.5", True),
        ("blink-3.5.0", "3.5", False),
        ("blink-3.5", "3.5.0", False),
        ("blink-3.10.0", "3.7.8", False),
        ("blink-2.2.7", "3.0", True),
        ("beta", "3.0", False),
        ("", "3.0", False),
    ],
)
def test_versions_compare_by_their_numbers(version: str, than: str, *, older: bool) -> None:
    assert is_older(version, than) is older


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    assert is_older("blink-3.2", "3.5")
    assert not is_older(f"blink-{'1' * 128}.2", "3.5")
    assert not is_older(f"{'x' * 128}3.2", "3.5")
