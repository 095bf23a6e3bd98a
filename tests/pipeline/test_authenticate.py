import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from foas_emulator.gateway.authentication import milliseconds_of
from foas_emulator.pipeline.authenticate import Nonces
from foas_emulator.testing import Emulator
from tests.api import open_api
from tests.wire import INSTANCE, ask, signed_v1, signed_v3

JSON = {"accept": "application/json"}
SIGNERS = pytest.mark.parametrize("sign", [signed_v1, signed_v3])
Sign = Callable[..., dict[str, str]]


@SIGNERS
@pytest.mark.parametrize("mode", ["off", "warn", "strict"])
def test_good_signature_is_served_without_a_word_in_every_mode(sign: Sign, mode: str) -> None:
    with open_api(signature=mode) as served:
        heard = ask(served.app, headers=sign())
        assert (heard.status, heard.warning) == (200, None)


@SIGNERS
def test_off_looks_at_nothing(sign: Sign) -> None:
    with open_api(signature="off") as served:
        for headers in (sign(secret="wrong"), {"authorization": "nonsense"}, {"date": "yesterday"}):
            heard = ask(served.app, headers=headers)
            assert (heard.status, heard.warning) == (200, None)


@SIGNERS
def test_warn_serves_and_says_what_strict_would_refuse(sign: Sign) -> None:
    with open_api() as served:
        heard = ask(served.app, headers=sign(secret="wrong"))
        assert heard.status == 200
        assert heard.warning is not None
        assert heard.warning.startswith("signature=strict would refuse this with SignatureDoesNotMatch: ")


@pytest.mark.parametrize(
    ("sign", "begins"),
    [
        (signed_v1, "Specified signature is not matched with our calculation. server string to sign is:GET\n"),
        (signed_v3, "Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n"),
    ],
)
def test_strict_says_what_the_server_signs(sign: Sign, begins: str) -> None:
    with open_api(signature="strict") as served:
        heard = ask(served.app, headers=sign(secret="wrong"))
        assert heard.code == "SignatureDoesNotMatch"
        assert heard.members["Message"].startswith(begins)
        assert ("] server CanonicalRequest is [GET\n" in heard.members["Message"]) is (sign is signed_v3)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"x-acs-version": "2018-11-11"}])
def test_warn_says_nothing_of_a_request_that_is_not_signed(headers: dict[str, str]) -> None:
    with open_api() as served:
        heard = ask(served.app, headers=headers)
        assert (heard.status, heard.warning) == (200, None)


def test_warning_stands_on_a_refusal_too() -> None:
    with open_api() as served:
        target = INSTANCE.replace("412536", "1")
        heard = ask(served.app, target, headers=signed_v1(target, secret="wrong"))
        assert heard.code == "InvalidInstance.NotFound"
        assert heard.warning is not None


def test_warn_logs_each_mistake_of_a_key_once(caplog: pytest.LogCaptureFixture) -> None:
    with open_api() as served, caplog.at_level(logging.WARNING):
        for _ in range(3):
            ask(served.app, headers=signed_v1(secret="wrong"))
        assert len(caplog.messages) == 1
        assert "'test'" in caplog.messages[0]
        ask(served.app, headers=signed_v1(key="nobody"))
        assert len(caplog.messages) == 2


def test_warn_remembers_and_logs_no_more_than_the_beginning_of_a_long_key(caplog: pytest.LogCaptureFixture) -> None:
    with open_api() as served, caplog.at_level(logging.WARNING):
        for end in ("a", "b"):
            ask(served.app, headers=signed_v1(key="k" * 60_000 + end))
    assert len(caplog.messages) == 1
    assert len(caplog.messages[0]) < 1000


def test_warn_remembers_no_nonces() -> None:
    with open_api() as served:
        for _ in range(2):
            assert ask(served.app, headers=signed_v1(headers={"x-acs-signature-nonce": "n"})).warning is None


def test_strict_accepts_bearer_tokens_and_temporary_keys() -> None:
    with open_api(signature="strict", access_keys=("STS.a:b:c",), bearer_tokens=("t",)) as served:
        date = {"date": signed_v1()["date"]}
        assert ask(served.app, headers={"x-acs-bearer-token": "t", **date}).status == 200
        assert ask(served.app, headers={"x-acs-bearer-token": "u", **date}).code == "InvalidBearerToken"
        keyless = date | {"authorization": "acs :c2ln", "x-acs-signature-type": "BEARERTOKEN"}
        assert ask(served.app, headers=keyless | {"x-acs-bearer-token": "t"}).status == 200
        assert ask(served.app, headers=keyless | {"x-acs-bearer-token": "u"}).code == "InvalidBearerToken"
        assert ask(served.app, headers=keyless).code == "InvalidBearerToken"
        assert ask(served.app, f"{INSTANCE}?x-acs-bearer-token=t", headers=keyless).status == 200
        assert ask(served.app, f"{INSTANCE}?x-acs-bearer-token=u", headers=keyless).code == "InvalidBearerToken"
        assert ask(served.app, f"{INSTANCE}?x-acs-bearer-token=t", headers=date).code == "MissingAccessKeyId"
        token = signed_v1(key="STS.a", secret="b", headers={"x-acs-security-token": "c"})
        assert ask(served.app, headers=token).status == 200


def test_no_token_of_a_refused_request_is_logged_or_shown_by_the_journal(caplog: pytest.LogCaptureFixture) -> None:
    """A header that is added after signing is a likely mistake with temporary keys, and the hint names it."""
    with Emulator(signature="strict", access_keys="sts:hidden-secret:hidden-token") as emulator:
        emulator.world("default").create()
        for target, headers in (
            (
                INSTANCE,
                {**signed_v1(key="sts", secret="hidden-secret", headers=JSON), "x-acs-security-token": "hidden-token"},
            ),
            (f"{INSTANCE}?SecurityToken=hidden-token&a=%", signed_v1()),
        ):
            assert httpx.get(emulator.url + target, headers=headers, trust_env=False).status_code == 400
        entries = emulator.world("default").journal.entries()
        shown = [str(emulator.world("default").journal.entry(entry["request_id"])) for entry in entries]
    told = caplog.text + "".join(shown)
    assert "did not sign x-acs-security-token" in told
    assert "begins no escape" in told
    assert len(shown) == 2
    assert "hidden" not in told


def test_strict_signature_covers_the_body() -> None:
    target = "/api/v2/projects/demo/folders"
    form = {"content-type": "application/x-www-form-urlencoded"}
    with open_api(signature="strict") as served:
        signed = signed_v3(target, method="POST", body=b"path=/a", headers=form)
        other = ask(served.app, target, method="POST", headers=signed, body=b"path=/b")
        assert other.code == "SignatureDoesNotMatch"
        assert ask(served.app, target, method="POST", headers=signed, body=b"path=/a").status == 200


def test_strict_refusal_changes_nothing() -> None:
    target = "/api/v2/projects/demo/folders"
    form = {"content-type": "application/x-www-form-urlencoded"}
    with open_api(signature="strict") as served:
        revision = served.world.store.revision
        assert ask(served.app, target, method="POST", headers=form, body=b"path=/a").code == "MissingDate"
        assert served.world.store.revision == revision


def test_skew_is_a_setting() -> None:
    old = signed_v1(headers={"date": "Thu, 01 Aug 2019 12:00:00 GMT"})
    with open_api(signature="strict", signature_max_skew=50 * 365 * 86_400_000) as served:
        assert ask(served.app, headers=old).status == 200


def test_clock_of_the_world_does_not_make_a_signature_stale() -> None:
    with open_api(signature="strict") as served:
        with served.world.transaction():
            served.world.clock.set(mode="frozen", now=0)
        assert ask(served.app, headers=signed_v1()).status == 200


def test_mode_of_the_world_wins_over_that_of_the_server() -> None:
    with open_api(signature="strict") as served:
        served.world.set({"signature": "off"})
        assert ask(served.app).status == 200


def test_keys_are_read_from_entries_and_files(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("b:two\nc:three\n", encoding="utf-8")
    with open_api(signature="strict", access_keys=("a:one", str(file))) as served:
        for key, secret in (("a", "one"), ("b", "two"), ("c", "three"), ("test", "test"), ("world-x", "test")):
            assert ask(served.app, headers=signed_v1(key=key, secret=secret)).status == 200


@pytest.mark.parametrize("entries", [("no-such-file",), ("a:",), ("a:b", "a:c")])
def test_wrong_key_refuses_to_start_and_its_secret_is_not_shown(entries: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"^access_keys: ") as refusal, open_api(access_keys=entries):
        pass
    assert not {":b", ":c", "no-such-file"} & set(str(refusal.value).split())


@SIGNERS
def test_a_request_of_a_fast_clock_cannot_be_repeated_as_long_as_its_date_is_fresh(
    sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    skew = 900_000
    signed = sign(headers={"x-acs-signature-nonce": "n"})
    dated = milliseconds_of(signed.get("x-acs-date") or signed["date"])
    assert dated is not None
    instant = [dated - skew]
    monkeypatch.setattr("foas_emulator.pipeline.authenticate.machine_now", lambda: instant[0])
    with open_api(signature="strict", signature_max_skew=skew) as served:
        assert ask(served.app, headers=signed).status == 200
        for passed in (1, skew, skew + 1, 2 * skew):
            instant[0] = dated - skew + passed
            assert ask(served.app, headers=signed).code == "SignatureNonceUsed"
        instant[0] += 1
        assert ask(served.app, headers=signed).code == "InvalidTimeStamp.Expired"


def test_nonces_are_told_apart_by_key_and_forgotten_oldest_first() -> None:
    nonces = Nonces(keep_ms=60_000, most=2)
    assert nonces.use("a", "1")
    assert not nonces.use("a", "1")
    assert nonces.use("b", "1")
    assert nonces.use("a", "2")
    assert nonces.use("a", "1")


def test_nonces_are_forgotten_when_their_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    instant: list[Any] = [0]
    monkeypatch.setattr("foas_emulator.pipeline.authenticate.machine_now", lambda: instant[0])
    nonces = Nonces(keep_ms=1000)
    assert nonces.use("a", "1")
    instant[0] = 1000
    assert not nonces.use("a", "1")
    instant[0] = 1001
    assert nonces.use("a", "1")


@pytest.mark.parametrize(
    ("nonce", "same"), [("n", "n\xa0"), ("n", "\x85n"), ("n", "n\xc2\xa0\t"), ("\xe9", "\xc3\xa9")]
)
def test_a_nonce_is_used_up_in_all_forms_in_which_the_signature_covers_it(nonce: str, same: str) -> None:
    with open_api(signature="strict") as served:
        signed = signed_v3(headers={"x-acs-signature-nonce": nonce})
        assert ask(served.app, headers=signed).status == 200
        assert ask(served.app, headers={**signed, "x-acs-signature-nonce": same}).code == "SignatureNonceUsed"
