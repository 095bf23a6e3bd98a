import pytest

from foas_emulator.gateway.access_keys import AccessKeys, Key


def test_key_test_is_built_in_and_can_be_given_another_secret() -> None:
    assert AccessKeys.parse().lookup("test") == Key("test", "test")
    assert AccessKeys.parse(["test:other"]).lookup("test") == Key("test", "other")


def test_configured_keys_are_found_with_and_without_a_token() -> None:
    keys = AccessKeys.parse(["id:secret", " STS.id:secret:to:ken== "])
    assert keys.lookup("id") == Key("id", "secret")
    assert keys.lookup("STS.id") == Key("STS.id", "secret", "to:ken==")
    assert keys.lookup("nobody") is None


def test_every_world_has_a_key_with_the_secret_test_unless_configured() -> None:
    keys = AccessKeys.parse(["world-a:own"])
    assert keys.lookup("world-a") == Key("world-a", "own")
    assert keys.lookup("world-b_2") == Key("world-b_2", "test", "test", may_omit_token=True)


@pytest.mark.parametrize(
    ("key", "token", "fits"),
    [
        (Key("id", "s"), None, True),
        (Key("id", "s"), "t", False),
        (Key("id", "s", "t"), "t", True),
        (Key("id", "s", "t"), "\xe9", False),
        (Key("id", "s", "t"), None, False),
        (Key("id", "s", "t", may_omit_token=True), None, True),
        (Key("id", "s", "t", may_omit_token=True), "u", False),
    ],
)
def test_a_key_is_valid_with_its_own_token_alone(key: Key, *, token: str | None, fits: bool) -> None:
    assert key.fits(token) is fits


@pytest.mark.parametrize("access_key_id", ["world-", "world-A", "world--a", "world-" + "a" * 65, "World-a"])
def test_id_that_names_no_world_is_unknown(access_key_id: str) -> None:
    assert AccessKeys.parse().lookup(access_key_id) is None


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["id:fine", "onlysecret"], "access key entry 2 is not id:secret or id:secret:token"),
        ([":onlysecret"], "access key entry 1: the id before the first colon is empty"),
        (["id:"], "access key entry 1: the secret of 'id' is empty"),
        (["id::onlysecret"], "access key entry 1: the secret of 'id' is empty"),
        (["id:onlysecret:\udcff"], "access key entry 1 is not UTF-8"),
        (["id:onlysecret:"], "access key entry 1: the token of 'id' is empty"),
        (["id:fine", "id:onlysecret"], "access key entry 2: the id 'id' is given twice"),
    ],
)
def test_entry_that_cannot_be_read_is_named_without_its_secret(entries: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        AccessKeys.parse(entries)
    assert "onlysecret" not in str(raised.value)


def test_a_printed_book_shows_no_secrets() -> None:
    assert "hidden" not in repr(AccessKeys.parse(["id:hidden:hidden"]))
