"""The numerator: what a GPU-hour costs, owned or rented, with its power, carbon and water."""

from tokcost.hour.carbon import (
    UnknownCarbon,
    embodied_carbon_g_per_mtok,
    embodied_share_frac,
    grid_intensity,
    operation_carbon_g_per_mtok,
    site_water_l_per_mtok,
    source_water_l_per_mtok,
    total_carbon_g_per_mtok,
)
from tokcost.hour.cashflow import MoneyError, Nominal, NominalCashFlow, Real, RealCashFlow, depreciation_schedule, owner_cash_flow
from tokcost.hour.deployment import Deployment
from tokcost.hour.lcot import levelised_token_cost_usd_per_mtok, output_by_month
from tokcost.hour.ownership import capital_recovery_per_yr, exact_sum, loan_capital_recovery_per_yr, year_end_capital_recovery_per_yr
from tokcost.hour.power import (
    Power,
    PowerError,
    average_kw_per_gpu,
    energy_share_frac,
    measured_and_provisioned,
    output_tok_per_joule,
    output_tok_per_s_per_mw,
    output_token_energy_joule_per_tok,
    total_token_energy_joule_per_tok,
)
from tokcost.hour.reference import reference_deployment, reference_deployments, reference_inputs
from tokcost.hour.rental import Rental, contract_cost_usd, needed_rate_usd_per_gpu_h
from tokcost.hour.solve import Solution, against_published, likely_interval_usd_per_gpu_h, solve_for, swings

__all__ = [
    "Deployment",
    "MoneyError",
    "Nominal",
    "NominalCashFlow",
    "Power",
    "PowerError",
    "Real",
    "RealCashFlow",
    "Rental",
    "Solution",
    "UnknownCarbon",
    "against_published",
    "average_kw_per_gpu",
    "capital_recovery_per_yr",
    "contract_cost_usd",
    "depreciation_schedule",
    "embodied_carbon_g_per_mtok",
    "embodied_share_frac",
    "energy_share_frac",
    "exact_sum",
    "grid_intensity",
    "levelised_token_cost_usd_per_mtok",
    "likely_interval_usd_per_gpu_h",
    "loan_capital_recovery_per_yr",
    "measured_and_provisioned",
    "needed_rate_usd_per_gpu_h",
    "operation_carbon_g_per_mtok",
    "output_by_month",
    "output_tok_per_joule",
    "output_tok_per_s_per_mw",
    "output_token_energy_joule_per_tok",
    "owner_cash_flow",
    "reference_deployment",
    "reference_deployments",
    "reference_inputs",
    "site_water_l_per_mtok",
    "solve_for",
    "source_water_l_per_mtok",
    "swings",
    "total_carbon_g_per_mtok",
    "total_token_energy_joule_per_tok",
    "year_end_capital_recovery_per_yr",
]
