"""One load served in several ways, and what shape, service level and waiting make of the cost: tables to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from tokcost import evidence
from tokcost.load.capacity import OperatingPoint
from tokcost.load.fleet_plan import Autoscaling, LoadPlan, plan, plan_batch
from tokcost.load.profiles import LoadProfile, named_profile


def points_described(points: Mapping[str, OperatingPoint], *, isl: float, osl: float) -> pd.DataFrame:
    """Operating points as rows: what one replica is, how fast it is for a user and how much it completes."""
    names = ("accelerator", "n_gpus", "concurrency", "tok_per_s_per_user", "total_tok_per_s_per_gpu", "median_ttft_s", "date", "label")
    return pd.DataFrame(
        {
            "point": name,
            **{column: getattr(point, column) for column in names} | {"label": _said(point.label)},
            "capacity_request_per_s": point.capacity_request_per_s(isl=isl, osl=osl),
            "service_time_s": point.service_time_s(isl=isl, osl=osl),
        }
        for name, point in points.items()
    )


def _said(label: str) -> str:
    precision, speculative, *others = label.split(", ")
    return ", ".join([precision.upper(), "no MTP" if speculative == "none" else speculative.upper(), *others])


def ways_to_serve(
    profile: LoadProfile,
    point: OperatingPoint,
    slow_point: OperatingPoint,
    *,
    rate_usd_per_gpu_h,
    service_level_frac: float,
    wait_limit_s: float,
    min_replicas: int,
    scale_up_delay_h: float,
    deadline_h: float,
) -> dict[str, LoadPlan]:
    """The same load on a fixed fleet, autoscaled, and as batch work at the same and at the slower operating point."""
    rate = {"rate_usd_per_gpu_h": rate_usd_per_gpu_h}
    level = {"service_level_frac": service_level_frac, "wait_limit_s": wait_limit_s}
    scaling = Autoscaling(min_replicas=min_replicas, scale_up_delay_h=scale_up_delay_h)
    return {
        "fixed": plan(profile, point, **rate, **level),
        "autoscaled": plan(profile, point, autoscaling=scaling, **rate, **level),
        "batch": plan_batch(profile, point, deadline_h=deadline_h, **rate),
        "batch, slower": plan_batch(profile, slow_point, deadline_h=deadline_h, **rate),
    }


def hours_of(plans: Mapping[str, LoadPlan]) -> pd.DataFrame:
    """The hours of several plans in requests per second: `plan`, `hour`, offered, delivered, and what the paid replicas could do."""
    tables = []
    for name, planned in plans.items():
        each = planned.point.capacity_request_per_s(isl=planned.profile.isl, osl=planned.profile.osl)
        hours = planned.hours[["hour", "offered_request_per_s", "delivered_request_per_s"]]
        tables.append(hours.assign(plan=name, paid_request_per_s=planned.hours["paid_replicas"] * each))
    return pd.concat(tables, ignore_index=True)


def usage_and_idle(plans: Mapping[str, LoadPlan]) -> pd.DataFrame:
    """The cost of a delivered token in its two parts, by plan: hours that worked, and hours that were paid and idle."""
    return pd.DataFrame(
        {
            "plan": name,
            "usage_token_cost_usd_per_mtok": planned.usage_token_cost_usd_per_mtok,
            "idle_token_cost_usd_per_mtok": planned.allocation_token_cost_usd_per_mtok - planned.usage_token_cost_usd_per_mtok,
            "allocation_token_cost_usd_per_mtok": planned.allocation_token_cost_usd_per_mtok,
            "utilization_frac": planned.utilization_frac,
        }
        for name, planned in plans.items()
    )


def by_service_level(
    profile: LoadProfile, point: OperatingPoint, *, rate_usd_per_gpu_h, wait_limits_s: Iterable[float], service_levels_frac: Iterable[float]
) -> pd.DataFrame:
    """A fixed fleet for every service level and wait limit: GPUs, utilization, cost of a delivered token."""
    table = []
    for wait_limit_s in wait_limits_s:
        for level in service_levels_frac:
            planned = plan(profile, point, rate_usd_per_gpu_h=rate_usd_per_gpu_h, service_level_frac=level, wait_limit_s=wait_limit_s)
            table.append(
                {
                    "wait_limit_s": wait_limit_s,
                    "service_level_frac": level,
                    "n_gpus": planned.n_gpus,
                    "utilization_frac": planned.utilization_frac,
                    "allocation_token_cost_usd_per_mtok": planned.allocation_token_cost_usd_per_mtok,
                }
            )
    return pd.DataFrame(table)


def by_shape(point: OperatingPoint, *, offered_request_per_s: float, isl: float, osl: float, **how) -> pd.DataFrame:
    """The same number of requests a week in every named shape: peak over average, GPUs, utilization, cost of a delivered token."""
    table = []
    for shape in evidence.load_table("load_profiles")["profile"].unique():
        profile = named_profile(shape, offered_request_per_s=offered_request_per_s, isl=isl, osl=osl)
        planned = plan(profile, point, **how)
        table.append({"profile": shape, "peak_to_mean_ratio": profile.peak_to_mean_ratio} | planned.summary().to_dict())
    shown = "profile peak_to_mean_ratio n_gpus utilization_frac usage_token_cost_usd_per_mtok allocation_token_cost_usd_per_mtok"
    return pd.DataFrame(table)[shown.split()]


def shapes_by_service_level(
    point: OperatingPoint, *, offered_request_per_s: float, isl: float, osl: float, wait_limit_s: float, **how
) -> pd.DataFrame:
    """`by_service_level` of the same number of requests in every named shape, at one wait limit; the shape in `profile`."""
    tables = []
    for shape in evidence.load_table("load_profiles")["profile"].unique():
        profile = named_profile(shape, offered_request_per_s=offered_request_per_s, isl=isl, osl=osl)
        tables.append(by_service_level(profile, point, wait_limits_s=[wait_limit_s], **how).assign(profile=shape))
    return pd.concat(tables, ignore_index=True)


def offered_over_paid_frac(plan: LoadPlan) -> float:
    """Offered tokens over what the paid capacity could do: by another route the utilization, where all that is offered is delivered."""
    hours = hours_of({"": plan})
    return float(hours["offered_request_per_s"].sum() / hours["paid_request_per_s"].sum())
