"""The wheel as its user has it: beside a package named `app`, without rights, in an empty directory."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.process import DIRECTLY, environment
from tests.wire import INSTANCE

pytestmark = pytest.mark.xdist_group("wheel")

ROOT = Path(__file__).parents[1]
NOBODY = 65534


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that anybody may look into; pytest's own are closed to others."""
    with TemporaryDirectory(prefix="foas-emulator-wheel-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="module")
def built(place: Path) -> str:
    """What is said while the source distribution is built from a copy, and the wheel from that, into `dist`."""
    source = place / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("app", "fixtures"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "tests").mkdir()
    (source / "tests" / "test_any.py").touch()
    building: list[str | Path] = [sys.executable, "-m", "build", "--no-isolation", "--outdir", place / "dist", source]
    ran = subprocess.run(building, check=True, capture_output=True, encoding="utf-8", timeout=240)
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def wheel(place: Path, built: str) -> Path:
    assert built
    (found,) = (place / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(place: Path, wheel: Path) -> Path:
    """An interpreter with the wheel, a decoy `app`, and the dependencies of this environment but not its emulator."""
    home = place / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    interpreter = home / "bin" / "python"
    paths = sysconfig.get_paths("posix_prefix", {"base": str(home), "platbase": str(home)})
    installed = Path(paths["purelib"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (installed / "app").mkdir()
    (installed / "app" / "__init__.py").write_text("raise ImportError('this is the decoy')\n", "utf-8")
    # A path in a .pth file is searched, but the .pth files in it are not read: ours is not importable from there.
    (installed / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return interpreter


def test_package_list_is_complete() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    there = [".".join(path.parent.relative_to(ROOT / "app").parts) for path in (ROOT / "app").rglob("__init__.py")]
    assert listed == sorted([*there, "foas_emulator.fixtures"])


def test_wheel_carries_the_package_its_fixtures_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in names} == {"foas_emulator"}
    modules = {path.relative_to(ROOT / "app").as_posix() for path in (ROOT / "app" / "foas_emulator").rglob("*.py")}
    fixtures = {
        f"foas_emulator/fixtures/{path.relative_to(ROOT / 'fixtures').as_posix()}"
        for path in (ROOT / "fixtures").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    console = ROOT / "app" / "foas_emulator" / "console"
    pages = {
        path.relative_to(ROOT / "app").as_posix()
        for kind in ("templates/*.html", "static/*", "locale/*.po")
        for path in console.glob(kind)
    }
    assert len(pages) > 20
    assert modules | fixtures | pages <= set(names)


def test_building_warns_of_no_package(built: str) -> None:
    assert "absent from the `packages` configuration" not in built
    assert "deprecated" not in built.lower()


@pytest.mark.usefixtures("built")
def test_source_distribution_has_no_tests_which_could_not_run_alone(place: Path) -> None:
    (found,) = (place / "dist").glob("*.tar.gz")
    with tarfile.open(found) as archive:
        inside = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"app", "fixtures", "pyproject.toml", "README.md", "LICENSE"} <= inside
    assert "tests" not in inside


def without_rights(command: list[str]) -> list[str]:
    """The command as a user without rights would give it."""
    if sys.platform == "win32" or os.geteuid():
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def test_installed_wheel_serves_a_user_without_rights_in_an_empty_directory(place: Path, python: Path) -> None:
    empty = place / "empty"
    empty.mkdir(mode=0o555)
    bare = {**environment(), "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}

    def command(*arguments: str) -> list[str]:
        return without_rights([str(python), "-m", "foas_emulator", *arguments])

    if subprocess.run(without_rights([str(python), "-c", ""]), cwd=empty, capture_output=True, check=False).returncode:
        pytest.skip("a user without rights cannot reach this interpreter")
    server = subprocess.Popen(
        command("serve", "--port", "0"), cwd=empty, env=bare, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().rstrip("\n").removeprefix("listening on ")
        check = subprocess.run(
            command("healthcheck", "--url", url), cwd=empty, env=bare, capture_output=True, timeout=60, check=False
        )
        assert check.returncode == 0, check.stderr
        assert httpx.get(url + INSTANCE, **DIRECTLY).json()["Instance"]["Id"] == 412536
        page = httpx.get(url + "/", **DIRECTLY, follow_redirects=True, headers={"accept-language": "zh"})
        assert (page.status_code, "running-stream" in page.text, "调用记录" in page.text) == (200, True, True)
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert not list(empty.iterdir())


def test_installed_emulator_is_that_of_the_wheel_and_the_decoy_stays_what_it_is(place: Path, python: Path) -> None:
    script = "import foas_emulator; print(foas_emulator.__file__); import app"
    ran = subprocess.run([python, "-c", script], cwd=place, capture_output=True, encoding="utf-8", check=False)
    assert ran.stdout.startswith(str(place / "venv"))
    assert "this is the decoy" in ran.stderr
