"""What is published names no place on this machine and no secret: they stay out of page, notebook, result and history."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokcost.parameters.settings import Setting
from tokcost.paths import DATA, chosen_data
from tokcost.show.text import literal

#: what stands in the place of a secret
SECRET = "(secret)"
#: a text parameter with such a name holds what nobody else may read
_NAMES_SECRET = re.compile(r"(?:^|_)(?:token|password|passwd|passphrase|secret|credentials?|api_?key)$", re.I)
_NAMES_PATH = re.compile(r"(?:^|_)(?:file|folder|directory|path)s?$", re.I)
_HOLDS_PATH = re.compile(r"\b(?:file|folder|directory|path)s?\b", re.I)


class Places:
    """The folders and secrets that are nobody else's business, and what is written in their place.

    >>> Places(Path("/srv/team/a.ipynb")).hidden(f"File {Path.home()}/x.py, /srv/team/b.csv, /srv/teams")
    'File ~/x.py, ./b.csv, /srv/teams'
    """

    def __init__(self, notebook: Path, settings: list[Setting] | tuple = ()):
        known = {
            Path(tempfile.gettempdir()): "$TMPDIR",
            Path.home(): "~",
            DATA.parent: ".",
            Path.cwd(): ".",
            notebook.absolute().parent: ".",
        }
        if sys.prefix != sys.base_prefix:
            known[Path(sys.prefix)] = "$VIRTUAL_ENV"
        if data := chosen_data():
            known[data] = "$TOKCOST_DATA_DIR"
        words = {form: word for place, word in known.items() for form in _forms(place) if len(Path(form).parts) > 1}
        for setting in filter(_is_private_path, settings):
            given = str(setting.value)
            words |= dict.fromkeys({given, given.rstrip("/"), *_forms(Path(given).expanduser())}, Path(given).name or given)
        self._secrets = [form for secret in settings if is_secret(secret) for form in (str(secret.value), literal(secret.value))]
        words |= {literal(form): literal(word) for form, word in words.items() if literal(form) != form}
        self._words = words
        longest_first = sorted(words, key=len, reverse=True)
        self._pattern = re.compile(r"(?<![\w.~-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")

    def hidden(self, value: Any) -> Any:
        """`value`, a text or a structure of lists and tables that holds some, with each such folder and secret replaced."""
        if isinstance(value, str):
            for secret in self._secrets:  # wherever it stands, also within a word
                value = value.replace(secret, SECRET)
            return self._pattern.sub(lambda found: self._words[found.group()], value)
        if isinstance(value, list):
            return [self.hidden(entry) for entry in value]
        if isinstance(value, dict):
            # Pictures are no text: what looks like a path in one is chance.
            return type(value)({key: entry if key in ("image/png", "image/jpeg") else self.hidden(entry) for key, entry in value.items()})
        return value

    def setting(self, setting: Setting) -> Setting:
        """A setting as it is published: of a path, the name of its folder or file; of a secret, nothing."""
        return replace(setting, value=self.hidden(setting.value)) if setting.changed else setting

    def notebook(self, notebook: Any) -> Any:
        """An executed notebook as it is published, also without what Papermill notes of its own working files."""
        for part in (notebook, *notebook["cells"]):
            part["metadata"].pop("papermill", None)
        return self.hidden(notebook)


def _forms(path: Path) -> set[str]:
    """A path as it may stand in a text: absolute as given, and with its links followed."""
    try:
        return {str(path.absolute()), str(path.resolve())}
    except (OSError, RuntimeError):
        return {str(path.absolute())}


def is_secret(setting: Setting) -> bool:
    """Whether somebody gave a password or the like, as the name of the parameter says."""
    given = isinstance(setting.value, str) and bool(setting.value) and setting.changed and not setting.parameter.choices
    return given and bool(_NAMES_SECRET.search(setting.parameter.name))


def _is_private_path(setting: Setting) -> bool:
    """Whether somebody gave a path: a free text that is said to hold one, or looks like one from a root."""
    value, parameter = setting.value, setting.parameter
    if not isinstance(value, str) or not setting.changed or parameter.choices:
        return False
    return bool(_HOLDS_PATH.search(parameter.holds) or _NAMES_PATH.search(parameter.name)) or value.startswith(("/", "~", "./", "../"))
