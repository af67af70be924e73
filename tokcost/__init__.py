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
    "evidence.importers": "import_benchmarks import_server_metrics import_power import_billing",
    "evidence.importers.per_request": "import_requests",
    "hour": "Deployment reference_deployment reference_deployments reference_inputs Rental Power solve_for against_published swings "
    "likely_interval_usd_per_gpu_h measured_and_provisioned grid_intensity embodied_carbon_g_per_mtok "
    "levelised_token_cost_usd_per_mtok output_by_month owner_cash_flow Real Nominal",
    "output.frontier": "Frontier frontier cost_at",
    "output.compare": "ratio_at per_mw_at spread_at leave_one_out",
    "output.profiles": "LoadProfile hourly_profile named_profile",
    "output.traffic": "profile_from_csv profile_from_prometheus",
    "output.capacity": "OperatingPoint operating_point passed_over erlang_c replicas_needed",
    "output.load": "Autoscaling LoadPlan plan_load plan_batch compare_plans",
    "output.tokens": "TokenUse SplitRule by_tokens by_price_weight by_processing_time split_cost request_cost_usd expected_attempts "
    "task_success_frac started_task_cost_usd solved_task_cost_usd",
    "output.service": "within_limits latency_frontier goodput ratio_at_service_level winners",
    "output.codesign": "decompose decompose_by_speed along_path NotMeasured",
    "output.software": "Result result_ratio mlperf_results mlperf_best mlperf_progress run_progress versions_at published_progress "
    "yearly_gain annualised_ratio",
    "output.predict": "matched_pairs prediction_errors",
    "decide.levers": "levers cost_by_utilization",
    "hour.worksheet": "restated inputs_of price_and_life parts_and_totals solutions a_tenth_worse prices_of_an_hour "
    "beside_public_model two_routes",
    "hour.footprint": "electricity_shares powers power_spans best_runs sweeps power_limited clock_limited footprint_by_region some_regions",
    "show.hours": "plot_waterfall plot_prices plot_brackets plot_swings plot_pairs plot_sorted",
    "decide.rankings": "rankings cost_ends comparable firsts disagreement cost_range",
    "decide.ratios": "cost_curves ratio_curves by_speed ratios_by_rate ratios_by_power",
    "decide.speeds": "frontiers what_was_measured price_of_speed costs_by_speed winners_described best_and_median at_unequal_speeds "
    "price_of_a_start with_and_without_limit left_out",
    "decide.loads": "points_described ways_to_serve hours_of usage_and_idle by_service_level by_shape shapes_by_service_level "
    "offered_over_paid_frac",
    "decide.gains": "yearly_gains missing_combinations",
    "decide.own": "own_benchmark known_and_missing delivered_by_two_routes",
    "decide.beside": "beside_public price_of_hour price_range is_same_model why_no_ratio",
    "decide.owned": "owned_token_costs",
    "decide.printed": "printed_range",
    "decide.claims": "claim audit",
    "decide.flops": "flops_candidates flops_ratios",
    "decide.points": "reproducing_points where_it_holds",
    "decide.verdicts": "audit_ranges side_by_side held_at steepest",
    "show.sentences": "say refused check result answer sources CheckFailed",
    "show.numbers": "num usd times percent spans inline",
    "show.tables": "table",
    "show.text": "literal",
    "spreadsheet": "read_csv",
    "show.charts": "plot_curves plot_ranges plot_bars plot_slope plot_against",
    "show.loads": "plot_panels plot_matrix plot_steps plot_ladder plot_week plot_stacked",
    "show.gains": "plot_factors",
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
