"""The lines in which a definition states its alerts, and what is said of those that are none."""

import pytest

from tokcost.report.errors import ReportError
from tokcost.report.request.alerts import parse_alert

COST = "total_token_cost_usd_per_mtok"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{COST} > 4.5", {"form": "level", "operator": ">", "number": 4.5, "end": "value"}),
        (f"  {COST}<=1e-2", {"form": "level", "operator": "<=", "number": 0.01}),
        (f"low of gb300_{COST} < 1", {"form": "level", "end": "low", "name": f"gb300_{COST}"}),
        ("utilization_frac < 40 %", {"form": "level", "number": 0.4}),
        (f"own_{COST} > api_{COST}", {"form": "other", "other": f"api_{COST}"}),
        (f"{COST} changes by 5%", {"form": "changes", "number": 0.05, "is_share": True}),
        (f"{COST} changes by 0.2", {"form": "changes", "number": 0.2, "is_share": False}),
        ("cost_ratio crosses 1", {"form": "crosses", "number": 1.0}),
        ("label of cost_ratio changes", {"form": "label", "name": "cost_ratio"}),
        ("data older than 90 days", {"form": "stale", "number": 90.0}),
    ],
)
def test_each_form_is_read(line, says):
    alert = parse_alert(line)
    assert {name: getattr(alert, name) for name in says} == says


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("total_token_cost_usd_per_mtk > 5", "is no quantity; did you mean `total_token_cost_usd_per_mtok`"),
        (f"{COST} = 5", "is no alert; write one like: NAME > 4.5"),
        (f"{COST} > 5 and cost_ratio > 1", "is no alert; write one like"),
        (f"{COST} > __import__('os').getcwd()", "is no alert; write one like"),
        (f"{COST} > 1.2.3", "`1.2.3` is no number"),
        (f"{COST} > 1e999", "`1e999` is no number"),
        (f"{COST} > 5%", "is no share, so that 5% of it says nothing; give a number in its own unit"),
        (f"{COST} changes by 0", "a change has a size above 0"),
        (f"{COST} > cost_ratio", "do not mix: unit is usd_per_mtok in one, ratio in the other"),
        ("", "is no alert"),
    ],
)
def test_what_is_no_alert_is_answered_with_the_fix(line, says):
    with pytest.raises(ReportError) as refused:
        parse_alert(line)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("alerts", "says"),
    [
        ('"cost_ratio > 1"', "`alerts` must be a list of lines, got 'cost_ratio > 1'; write alerts = [\"total_token"),
        ('["cost_ratio > 1", 5]', "alert 2 must be text, got 5"),
        ('["cost_ratio > 1", "cost_rato < 1"]', "alert 2: `cost_rato` is no quantity; did you mean `cost_ratio`?"),
        ('["cost_ratio > 1", "cost_ratio  > 1"]', "alert 2: `cost_ratio > 1` is given twice; keep one"),
    ],
)
def test_a_definition_with_a_wrong_alert_stops_before_anything_runs(ask, tmp_path, alerts, says):
    (tmp_path / "weekly.toml").write_text(f'notebook = "notebooks/01-cost.ipynb"\nalerts = {alerts}\n')
    run = ask("weekly.toml")
    assert run.status == 2 and says in run.err and "weekly.toml" in run.err
