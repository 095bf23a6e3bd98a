"""`foas-emulator snapshot`, against a running server."""

from pathlib import Path
from urllib.parse import urlsplit

from click.testing import CliRunner, Result

from foas_emulator.cli import main
from foas_emulator.testing import Emulator


def run(emulator: Emulator, *words: str, **variables: str) -> Result:
    return CliRunner().invoke(main, ["snapshot", *words, "--url", emulator.url], env=variables)


def test_a_world_is_saved_and_loaded(emulator: Emulator, tmp_path: Path) -> None:
    world = emulator.world("saved")
    world.settings["start_delay"] = "30s"
    file = tmp_path / "world.json"
    saved = run(emulator, "save", str(file), "--world", "saved", "--control-token", "secret")
    assert (saved.exit_code, saved.output) == (0, f"World saved was saved to {file}.\n")
    assert file.read_text("utf-8").startswith('{"snapshot_version": 1')
    loaded = run(emulator, "load", str(file), "--world", "loaded", FOASEMU_CONTROL_TOKEN="secret")
    assert (loaded.exit_code, loaded.output) == (0, f"World loaded was created from {file}.\n")
    again = run(emulator, "load", str(file), "--world", "loaded", FOASEMU_CONTROL_TOKEN="secret")
    assert again.output == f"World loaded was restored from {file}.\n"
    assert emulator.world("loaded").snapshot() == world.snapshot()


def test_a_snapshot_in_yaml_is_loaded(emulator: Emulator, tmp_path: Path) -> None:
    world, file = emulator.world("in-yaml"), tmp_path / "world.yaml"
    file.write_bytes(emulator.control.send("GET", f"{world.path}/snapshot", headers={"accept": "application/yaml"}))
    assert file.read_text("utf-8").startswith("snapshot_version: 1")
    loaded = run(emulator, "load", str(file), "--world", "of-yaml", FOASEMU_CONTROL_TOKEN="secret")
    assert (loaded.exit_code, loaded.output) == (0, f"World of-yaml was created from {file}.\n")
    assert emulator.world("of-yaml").snapshot() == world.snapshot()
    world.save(file)  # JSON, whatever the name
    emulator.world("of-yaml").load(file)


def test_without_a_world_it_is_the_default_one(emulator: Emulator, tmp_path: Path) -> None:
    port = str(urlsplit(emulator.url).port)
    words = ["snapshot", "save", str(tmp_path / "a.json"), "--port", port, "--control-token", "secret"]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert "project1" in (tmp_path / "a.json").read_text("utf-8")


def test_what_the_server_refuses_is_reported(emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    refused = run(emulator, "save", str(file))
    assert (refused.exit_code, file.exists()) == (1, False)
    assert "It requires its control token." in refused.output
    file.write_text("{}", "utf-8")
    refused = run(emulator, "load", str(file), "--control-token", "secret")
    assert refused.exit_code == 1
    assert "a snapshot is an object with snapshot_version and tables" in refused.output


def test_a_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with Emulator() as gone:
        pass
    refused = run(gone, "save", str(tmp_path / "world.json"))
    assert refused.exit_code == 1
    assert gone.url in refused.output


def test_a_file_that_is_not_there_is_reported(emulator: Emulator, tmp_path: Path) -> None:
    refused = run(emulator, "load", str(tmp_path / "nowhere.json"))
    assert refused.exit_code == 2
    assert "does not exist" in refused.output
