"""tokcost: what AI inference really costs, from a GPU-hour to a million tokens.

`import tokcost as tc` stays light: each name below loads its module when first used.
"""

from importlib import import_module

__version__ = "0.1.0"

#: public name -> the module that it lives in; the one list of what `tc.` offers
_HOME = {
    **dict.fromkeys(
        (
            "total_token_cost_usd_per_mtok output_token_cost_usd_per_mtok input_token_cost_usd_per_mtok "
            "total_tok_per_s_per_gpu delivered_total_tok_per_s_per_gpu revenue_usd_per_gpu_h gross_margin_frac "
            "total_tok_per_s_per_mw total_tok_per_joule peak_tflop_per_s_per_usd_per_h flop_per_usd"
        ).split(),
        "tokcost.metrics",
    ),
    **dict.fromkeys("say refused check result answer sources CheckFailed".split(), "tokcost.show.sentences"),
    **dict.fromkeys("num usd times percent spans".split(), "tokcost.show.numbers"),
    **dict.fromkeys("plot_curves plot_ranges plot_bars plot_slope plot_against".split(), "tokcost.show.charts"),
    **dict.fromkeys("plot_iceberg plot_levers".split(), "tokcost.show.lessons"),
    **dict.fromkeys("levers cost_by_utilization".split(), "tokcost.decide.levers"),
    **dict.fromkeys("Frontier frontier cost_at".split(), "tokcost.output.frontier"),
    **dict.fromkeys("ratio_at per_mw_at spread_at leave_one_out".split(), "tokcost.output.compare"),
    **dict.fromkeys("cost_curves ratio_curves ratios_by_rate ratios_by_power".split(), "tokcost.decide.ratios"),
    **dict.fromkeys("audit_ranges side_by_side".split(), "tokcost.decide.verdicts"),
    **dict.fromkeys("claim audit".split(), "tokcost.decide.claims"),
    "printed_range": "tokcost.decide.printed",
    **dict.fromkeys("flops_candidates flops_ratios".split(), "tokcost.decide.flops"),
    **dict.fromkeys("reproducing_points where_it_holds".split(), "tokcost.decide.points"),
    **dict.fromkeys("load fact rate provisioned_power accelerators measured provenance DataError".split(), "tokcost.evidence"),
    **dict.fromkeys("load fact rate provisioned_power accelerators measured provenance".split(), "tokcost.evidence.catalog"),
    **dict.fromkeys("reset_used DataError".split(), "tokcost.evidence.catalog"),
    **dict.fromkeys("Deployment reference_deployment reference_deployments reference_inputs Rental Power".split(), "tokcost.hour"),
    **dict.fromkeys("solve_for against_published swings likely_interval_usd_per_gpu_h measured_and_provisioned".split(), "tokcost.hour"),
    **dict.fromkeys("grid_intensity levelised_token_cost_usd_per_mtok output_by_month".split(), "tokcost.hour"),
    **dict.fromkeys("owner_cash_flow Real Nominal".split(), "tokcost.hour"),
    **dict.fromkeys("rankings disagreement cost_range".split(), "tokcost.decide.rankings"),
    **dict.fromkeys("matched_pairs prediction_errors".split(), "tokcost.output.predict"),
    "table": "tokcost.show.tables",
    "QuantityError": "tokcost.quantities",
}
_MODULES = ("quantities", "metrics", "evidence", "output", "decide", "show", "hour")


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(f"tokcost.{name}")
    from tokcost.quantities import nearest

    raise AttributeError(f"tokcost has no `{name}`{nearest(name, [*_HOME, *_MODULES])}")


def __dir__():
    return sorted([*_HOME, *_MODULES, "__version__"])
