"""Coverage of the service by a session: `--foas-coverage` and `--foas-coverage-min`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.testing.coverage import combine, percent_of
from tests.process import environment

TESTS = """
from urllib.request import ProxyHandler, Request, build_opener
import pytest

@pytest.mark.parametrize("path", ["/api/v2/projects/project1/jobs/job1", "/api/v2/projects/project1"])
def test_a_read(foas_world, path):
    request = Request(foas_world.endpoint + path, headers=foas_world.headers)
    with build_opener(ProxyHandler({})).open(request) as response:
        assert response.status == 200
"""
PLUGIN = ("-p", "foas_emulator.testing.plugin")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with our plugin alone."""
    (folder / "test_reads.py").write_text(TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN, *options, str(folder)]
    variables = environment({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, env=variables, check=False)


def exercise(**members: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "operations": {},
        "operations_missing": [],
        "states": {},
        "states_missing": [],
        "error_codes": {},
    }
    return empty | members


def called(calls: int, *parameters: str, missing: tuple[str, ...] = (), outcome: str = "OK") -> dict[str, Any]:
    return {
        "calls": calls,
        "outcomes": {outcome: calls},
        "formats": {"json": calls},
        "parameters": list(parameters),
        "parameters_missing": list(missing),
    }


def test_reports_of_several_servers_add_up() -> None:
    one = exercise(
        operations={"GetJob": called(2, "a", missing=("b", "c"))},
        operations_missing=["GetProject", "StartJob"],
        states={"RUNNING": 1},
        states_missing=["FAILED", "PAUSED"],
        error_codes={"X": 1},
    )
    other = exercise(
        operations={"GetJob": called(1, "b", missing=("a", "c"), outcome="X"), "StartJob": called(1)},
        operations_missing=["GetProject"],
        states={"RUNNING": 1, "PAUSED": 2},
        states_missing=["FAILED"],
        error_codes={"X": 2},
    )
    whole = combine([{"all": one, "worlds": {"w": one}}, {"all": other, "worlds": {"w": other, "v": other}}])
    assert whole["all"] == {
        "operations": {
            "GetJob": {
                "calls": 3,
                "outcomes": {"OK": 2, "X": 1},
                "formats": {"json": 3},
                "parameters": ["a", "b"],
                "parameters_missing": ["c"],
            },
            "StartJob": called(1),
        },
        "operations_missing": ["GetProject"],
        "operations_percent": 66.7,
        "states": {"PAUSED": 2, "RUNNING": 2},
        "states_missing": ["FAILED"],
        "error_codes": {"X": 3},
    }
    assert whole["worlds"].keys() == {"w", "v"}
    assert whole["worlds"]["w"] == whole["all"]


def test_a_session_without_an_emulator_exercised_nothing(tmp_path: Path) -> None:
    assert percent_of(combine([])["all"]) == 0
    done = run(tmp_path, "--foas-coverage-min=1", "-k", "nothing")
    assert "0.0 % of the operations exercised, 1 % wanted" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("workers", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["alone", "xdist"])
def test_the_sessions_coverage_is_written_and_judged(tmp_path: Path, workers: tuple[str, ...]) -> None:
    file = tmp_path / "coverage.json"
    done = run(tmp_path, *workers, f"--foas-coverage={file}", "--foas-coverage-min=50")
    report = json.loads(file.read_text("utf-8"))["all"]
    assert report["operations"].keys() == {"GetJob", "GetProject"}
    assert f"{report['operations_percent']} % of the operations exercised, 50 % wanted; missing: Batch" in done.stdout
    assert "2 passed" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


def test_enough_coverage_lets_the_session_pass(tmp_path: Path) -> None:
    done = run(tmp_path, "--foas-coverage-min=2.5")
    assert "of the operations exercised\n" in done.stdout
    assert done.returncode == pytest.ExitCode.OK


def test_an_interrupted_session_tells_what_it_has_exercised(tmp_path: Path) -> None:
    (tmp_path / "test_then.py").write_text("def test_it(): raise KeyboardInterrupt\n", "utf-8")
    done = run(tmp_path, "--foas-coverage-min=2.5")
    assert "foas-emulator: 2.9 % of the operations exercised\n" in done.stdout
    assert done.returncode == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("listing", ["collect-only", "setup-plan", "fixtures"])
def test_a_session_that_runs_no_tests_is_not_judged(tmp_path: Path, listing: str) -> None:
    """An editor lists the tests so, with the options of the project."""
    file = tmp_path / "coverage.json"
    file.write_text("of the last session", "utf-8")
    done = run(tmp_path, f"--{listing}", f"--foas-coverage={file}", "--foas-coverage-min=50")
    assert "exercised" not in done.stdout
    assert file.read_text("utf-8") == "of the last session"
    assert done.returncode == pytest.ExitCode.OK


def test_a_file_that_cannot_be_written_is_reported_and_fails_the_session(tmp_path: Path) -> None:
    (tmp_path / "test_removes.py").write_text("import shutil\n\ndef test_it():\n    shutil.rmtree('made')\n", "utf-8")
    done = run(tmp_path, "--foas-coverage=made/of/coverage.json", "-k", "test_it")
    assert "--foas-coverage: " in done.stdout
    assert "cannot be written: No such file or directory" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_directory_that_there_is_not_is_made_before_the_tests_run(tmp_path: Path) -> None:
    run(tmp_path, "--foas-coverage=made/of/coverage.json", "-k", "nothing")
    assert (tmp_path / "made/of/coverage.json").is_file()
    done = run(tmp_path, "--foas-coverage=test_reads.py/coverage.json", "-k", "nothing")
    assert "--foas-coverage: " in done.stderr
    assert "test_reads.py/coverage.json cannot be written: " in done.stderr
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("percent", ["nan", "-1", "100.5", "half", "1_0", "１２"])
def test_a_percentage_that_is_none_is_refused(tmp_path: Path, percent: str) -> None:
    done = run(tmp_path, f"--foas-coverage-min={percent}")
    assert f"{percent!r} is not a percentage from 0 to 100" in done.stderr
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


def test_a_test_named_after_the_option_is_not_overwritten(tmp_path: Path) -> None:
    done = run(tmp_path, "--foas-coverage", "test_reads.py")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "test_reads.py exists and holds something else" in done.stderr
    assert (tmp_path / "test_reads.py").read_text("utf-8") == TESTS


def test_a_directory_is_refused_before_the_tests_run(tmp_path: Path) -> None:
    done = run(tmp_path, f"--foas-coverage={tmp_path}")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is a directory; name a file" in done.stderr


def test_the_file_is_written_again_even_if_a_test_changes_the_directory(tmp_path: Path) -> None:
    (tmp_path / "test_moves.py").write_text("import os\n\ndef test_it(tmp_path):\n    os.chdir(tmp_path)\n", "utf-8")
    for _ in range(2):
        run(tmp_path, "--foas-coverage=coverage.json")
        assert json.loads((tmp_path / "coverage.json").read_bytes())["all"]["operations"]
