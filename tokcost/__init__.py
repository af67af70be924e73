"""tokcost: what AI inference really costs, from a GPU-hour to a million tokens.

`import tokcost as tc` stays light: each name below loads its module when first used.
"""

from importlib import import_module

__version__ = "0.1.0"

#: module -> the public names that live there; the one list of what `tc.` offers
_PUBLIC = {
    "quantities": "QuantityError",
    "metrics": "total_token_cost_usd_per_mtok output_token_cost_usd_per_mtok input_token_cost_usd_per_mtok total_tok_per_s_per_gpu "
    "delivered_total_tok_per_s_per_gpu revenue_usd_per_gpu_h gross_margin_frac total_tok_per_s_per_mw total_tok_per_joule "
    "peak_tflop_per_s_per_usd_per_h flop_per_usd",
    "evidence": "load fact rate provisioned_power accelerators measured provenance reset_used DataError",
    "hour": "Deployment reference_deployment reference_deployments reference_inputs Rental Power solve_for against_published swings "
    "likely_interval_usd_per_gpu_h measured_and_provisioned grid_intensity levelised_token_cost_usd_per_mtok output_by_month "
    "owner_cash_flow Real Nominal",
    "output.frontier": "Frontier frontier cost_at",
    "output.compare": "ratio_at per_mw_at spread_at leave_one_out",
    "output.predict": "matched_pairs prediction_errors",
    "decide.levers": "levers cost_by_utilization",
    "decide.rankings": "rankings disagreement cost_range",
    "decide.ratios": "cost_curves ratio_curves ratios_by_rate ratios_by_power",
    "decide.printed": "printed_range",
    "decide.claims": "claim audit",
    "decide.flops": "flops_candidates flops_ratios",
    "decide.points": "reproducing_points where_it_holds",
    "decide.verdicts": "audit_ranges side_by_side",
    "show.sentences": "say refused check result answer sources CheckFailed",
    "show.numbers": "num usd times percent spans",
    "show.tables": "table",
    "show.charts": "plot_curves plot_ranges plot_bars plot_slope plot_against",
    "show.lessons": "plot_iceberg plot_levers",
}
_HOME = {name: f"tokcost.{module}" for module, names in _PUBLIC.items() for name in names.split()}
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
