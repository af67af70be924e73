"""MLPerf Inference: `summary_results.json` of a round's results repository, one row per system, model and scenario.

MLPerf counts output tokens only and states no latencies here. Rows that are not in
tokens/s (images, samples, watts) are no operating points of a language model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_number, as_text, note_if_newer
from tokcost.importers.point import Point

NEWEST_ROUND = "6.0"


def matches(content: Mapping) -> bool:
    """Is this a row of an MLPerf Inference summary?"""
    return {"Performance_Result", "Performance_Units", "Submitter", "Scenario"} <= set(content)


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The row's operating point, or nothing if it is not in tokens/s."""
    if str(content["Performance_Units"]).lower().replace(" ", "") not in ("tokens/s", "tokens/sec"):
        return
    point = Point("mlperf", token_source="server usage", tool_version=as_text(content.get("version")))
    fields = Fields(content, point)
    point.run = " ".join(filter(None, (as_text(content.get(k)) for k in ("Category", "Submitter", "Platform", "Scenario"))))
    point.model = as_text(content.get("Model")) or as_text(content.get("UsedModel"))
    point.accelerator, point.framework = as_text(content.get("Accelerator")), as_text(content.get("Software"))
    point.precision = as_text(content.get("weight_data_types"))
    point.stated_output_tok_per_s = fields.required("Performance_Result", why="there is no throughput")
    nodes, per_node = as_number(content.get("Nodes")), as_number(content.get("a#"))
    if nodes is not None and per_node is not None:
        point.n_gpus, point.is_for_its_own_gpus = nodes * per_node, True
    else:
        point.note(f"accelerators per node are {content.get('a#')!r}: no single count, so the throughput per GPU is left empty")
    if content.get("inferred"):
        point.note("the result is inferred from another row of the same system")
    point.note("MLPerf counts output tokens only: not comparable with total (input + output) throughput, nor with results outside MLPerf")
    note_if_newer(point, "MLPerf Inference", point.tool_version, NEWEST_ROUND)
    fields.finish()
    yield point
