"""One hand-edited list of dependencies: what is derived from it has not drifted."""

import importlib.util
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DECLARED = [
    Requirement(r)
    for group in (
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    )
    for r in group
]
PINS = [Requirement(line.split(" \\")[0]) for line in re.findall(r"^[a-z0-9].*==.*$", LOCK, flags=re.M)]


def pins_here() -> dict[str, str]:
    return {canonicalize_name(p.name): str(next(iter(p.specifier)).version) for p in PINS if p.marker is None or p.marker.evaluate()}


def test_environment_yml_is_what_pyproject_says():
    spec = importlib.util.spec_from_file_location("environment_yml", Path(__file__).with_name("environment_yml.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    committed = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert committed == module.render(), "environment.yml has drifted from pyproject.toml; renew with: make lock"
    assert yaml.safe_load(committed)["name"] == "tokcost"


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_the_lock_holds_a_version_that_the_bounds_allow(requirement):
    pinned = pins_here().get(canonicalize_name(requirement.name))
    assert pinned, f"{requirement.name} is not in requirements.lock; renew with: make lock"
    assert requirement.specifier.contains(pinned), f"{requirement} is locked at {pinned}; renew with: make lock"


def test_every_pin_has_hashes_and_nothing_names_an_index():
    blocks = re.split(r"\n(?=[a-z0-9])", LOCK.strip())
    assert len(blocks) == len(PINS)
    for block in blocks:
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert not re.search(r"https?://|^--?(index|extra|find|i )", LOCK, flags=re.M)


def test_what_is_installed_is_what_is_locked():
    wrong = {name: (metadata.version(name), version) for name, version in pins_here().items() if metadata.version(name) != version}
    assert not wrong, f"installed and locked versions differ: {wrong}; renew with: make clean, then make test"


def test_actions_are_pinned_by_their_commit():
    """A tag can be moved to other code; a commit cannot."""
    used = [line for path in (ROOT / ".github").rglob("*.yml") for line in path.read_text().splitlines() if "uses:" in line]
    assert used and all(re.search(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d", line) for line in used)
