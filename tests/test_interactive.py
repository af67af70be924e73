"""What an analyst sees in JupyterLab: `tc.<TAB>` fits a screen, a topic shows the rest, `?` says unit, columns and an example."""

import re

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

#: lines of a completion list that a laptop's screen shows at once, scrolling a little
SCREEN = 60


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_cell("import tokcost as tc")
    yield shell
    shell.restore_sys_module_state()


def completed(shell, text: str) -> set[str]:
    with provisionalcompleter():
        return {found.text.rsplit(".", 1)[-1] for found in shell.Completer.completions(text, len(text))}


def test_tab_shows_a_screen_of_names_and_no_module_of_the_package_itself(shell):
    offered = completed(shell, "tc.")
    assert {"rate", "frontier", "cost_at", "total_token_cost_usd_per_mtok", "serving", "hour", "importers"} <= offered
    assert len(offered) <= SCREEN
    assert not {"namespace", "paths", "workspace", "cli", "attach", "np", "pd"} & offered


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("serving", {"frontier", "ratio_at", "matched_pairs"}),
        ("load", {"plan", "erlang_c"}),
        ("claims", {"audit"}),
        ("importers", {"benchmarks", "server_metrics", "power_logs", "bills", "requests"}),
    ],
)
def test_tab_after_a_topic_shows_the_rest(shell, topic, expected):
    offered = completed(shell, f"tc.{topic}.")
    assert expected <= offered <= set(dir(shell.user_ns["tc"].__getattr__(topic)))


def test_a_part_of_a_name_is_enough(shell):
    assert completed(shell, "tc.total_token_c") == {"total_token_cost_usd_per_mtok"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tc.total_token_cost_usd_per_mtok", ["rate_usd_per_gpu_h", "million", ">>>"]),
        ("tc.rate", ["accelerator", ">>>"]),
        ("tc.serving.matched_pairs", ["Columns:", ">>>"]),
        ("tc.importers.benchmarks", ["Columns:", "Raises:", ">>>"]),
    ],
)
def test_a_question_mark_gives_signature_meaning_and_an_example(shell, name, says):
    page = re.sub(r"\x1b\[[0-9;]*m", "", shell.object_inspect_mime(name)["text/plain"])
    for word in ["Signature:", *says]:
        assert word in page, f"{name}? does not say {word}"
