"""The example of docs/signatures.md is what the command says."""

from pathlib import Path

from click.testing import CliRunner

from foas_emulator.cli import main

PAGE = Path(__file__).parents[2] / "docs/signatures.md"
REQUEST = """GET /api/v2/projects/p/jobs/j/instances/1?RegionId=cn-hangzhou HTTP/1.1
x-acs-action: GetInstance
x-acs-version: 2018-11-11
x-acs-region-id: cn-hangzhou
Date: Thu, 01 Aug 2019 12:00:01 GMT
Accept: application/json
x-acs-signature-method: HMAC-SHA1
x-acs-signature-version: 1.0
Authorization: acs testid:K4gb3dlyRz1bQEUjNL3YBCujSig=

"""
"""Signed a second earlier than its Date says."""


def test_explain_names_the_header_that_was_signed_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "request.txt"
    file.write_text(REQUEST, "utf-8")
    result = CliRunner().invoke(main, ["explain", str(file), "--secret", "testsecret"])
    assert result.exit_code == 1
    sentence, *_ = result.output.splitlines()
    assert f"$ foas-emulator explain request.txt --secret testsecret\n{sentence}\n" in PAGE.read_text("utf-8")
