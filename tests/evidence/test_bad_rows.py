"""Every kind of bad row is answered with file, line, what is allowed and the likely fix; all of them at once."""

import re

import pytest

from tokcost.evidence import DataError, base_case, check_all, load_table
from tokcost.evidence.catalog import examined

H200_RATE = "h200,owning_hyperscaler,2026-03,rate_usd_per_gpu_h,1.41,,,"
B300_POWER = "b300,rated_power_w,1200,1100,1200,"
KEY_RUN = "dsr1,h200,fp8,dynamo-trt,mtp,disaggregated,1024,1024,44,96,,,8,88,93.15316446,,false,"
RATIO = "ratio,,total_token_cost_usd_per_mtok,35x lower,inverse,"

#: (table, text of a good row, what it is made, column, what the message must say)
CELLS = [
    (
        "accelerators",
        "h200,memory_gb,",
        "h200,memory_gigabyte,",
        "quantity",
        "unknown quantity 'memory_gigabyte' in this table; did you mean `memory_gb`",
    ),
    ("accelerators", "gb300,memory_gb,", "gb30,memory_gb,", "accelerator", "unknown accelerator 'gb30'; did you mean `gb300`"),
    ("accelerators", B300_POWER, "b300,rated_power_w,1200,1300,1200,", "low", r"1300 is above high 1200.*swapped"),
    ("accelerators", B300_POWER, "b300,rated_power_w,1000,1100,1200,", "value", r"1000 is outside its own range 1100 to 1200"),
    (
        "accelerators",
        B300_POWER,
        "b300,rated_power_w,1200,1100,,",
        "high",
        "is empty while low is 1100; give both ends of the range or none",
    ),
    ("accelerators", B300_POWER, "b300,rated_power_w,1.2,,,", "value", r"must be in \[10, 10000\], got 1.2; check the unit"),
    (
        "accelerators",
        "h200,accelerator_price_usd,35000,",
        'h200,accelerator_price_usd,"35,000",',
        "value",
        r"'35,000' is not a number; write digits.*no thousands",
    ),
    (
        "accelerators",
        "141,,,epoch_hardware",
        "141,,,epoch_hardwear",
        "source_id",
        "unknown source_id 'epoch_hardwear'; did you mean `epoch_hardware`",
    ),
    (
        "accelerators",
        "row H200 SXM,2026-04-27",
        "row H200 SXM,27.04.2026",
        "date",
        r"'27.04.2026' is not a date; write YYYY, YYYY-MM or YYYY-MM-DD",
    ),
    ("accelerators", "row H200 SXM,2026-04-27", "row H200 SXM,2026-04-31", "date", "'2026-04-31' is not a date"),
    ("accelerators", "row H200 SXM,2026-04-27", "row H200 SXM,2026-04/2025-01", "date", "ends before it begins"),
    (
        "accelerators",
        "row H200 SXM,2026-04-27,vendor_claim",
        "row H200 SXM,2026-04-27,vendor claim",
        "kind",
        "unknown kind 'vendor claim'; did you mean `vendor_claim`",
    ),
    (
        "hourly_rates",
        H200_RATE,
        H200_RATE.replace("1.41", "1.41 USD"),
        "value",
        "'1.41 USD' is not a number; write digits and a decimal point only",
    ),
    (
        "hourly_rates",
        H200_RATE,
        H200_RATE.replace("1.41", "1410"),
        "value",
        r"`rate_usd_per_gpu_h` must be in \[0.01, 200\], got 1410; check the unit",
    ),
    ("hourly_rates", H200_RATE, H200_RATE.replace("1.41", "-1.41"), "value", r"must be in \[0.01, 200\], got -1.41"),
    (
        "hourly_rates",
        H200_RATE,
        H200_RATE.replace("1.41", "nan"),
        "value",
        "'nan' is not a number; leave the cell empty where nothing is known",
    ),
    ("hourly_rates", H200_RATE, H200_RATE.replace("1.41", ""), "value", "is empty; every row needs a number"),
    (
        "hourly_rates",
        H200_RATE,
        H200_RATE.replace("owning_hyperscaler", "owning"),
        "price_basis",
        "unknown price_basis 'owning'.*owning_hyperscaler",
    ),
    (
        "hourly_rates",
        H200_RATE,
        H200_RATE.replace("2026-03", "2026-04"),
        "rate_vintage",
        "unknown rate_vintage '2026-04'; did you mean `2026-0",
    ),
    ("hourly_rates", H200_RATE, H200_RATE.replace("1.41", " 1.41"), "value", "has spaces around it; remove them"),
    (
        "inference",
        KEY_RUN,
        KEY_RUN.replace("false", "False"),
        "is_throughput_derived",
        "'False' is neither true nor false; did you mean `false`",
    ),
    ("inference", KEY_RUN, KEY_RUN.replace(",44,", ",44.5,"), "concurrency", "'44.5' is not a whole number"),
    ("inference", KEY_RUN, KEY_RUN.replace("8,88", "16,88"), "locator", "prefill and decode GPUs add up to all GPUs.*excluded_rows.csv"),
    ("inference", KEY_RUN, KEY_RUN.replace("93.15316446", "9315.316446"), "locator", "cannot receive less than the GPUs write"),
    ("inference", KEY_RUN, KEY_RUN.replace("93.15316446,", "93.15316446,40"), "locator", "agree with ISL and OSL to 2 %"),
    ("claims", RATIO, RATIO.replace("inverse", ""), "direction", r"belongs in ratio rows and only there: as_is .* or inverse"),
    ("claims", RATIO, RATIO.replace("ratio,,", "ratio,h200,"), "accelerator", "must be empty in ratio rows"),
    (
        "sources",
        ',CC-BY-4.0,"Epoch AI, Data on Machine Learning Hardware, https://epoch.ai/data/machine-learning-hardware, CC BY 4.0"',
        ",CC-BY-4.0,",
        "attribution",
        "Epoch AI asks for one; write the text that a report must print",
    ),
    ("sources", ",BSD-3-Clause,", ",,", "licence", "is empty; every row needs a text"),
    ("sources", ",primary,BSD", ",,BSD", "grade", "is empty; every row needs one of primary, secondary, scraped, assumption"),
    ("sources", ",primary,BSD", ",primery,BSD", "grade", "unknown grade 'primery'; did you mean `primary`"),
]


def spoil(data, table, good, bad):
    """Replace the first occurrence; give back its line number."""
    path = data / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert good in text, f"{table}.csv no longer holds {good!r}: the test needs another row"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    return text[: text.index(good)].count("\n") + 1


@pytest.mark.parametrize(("table", "good", "bad", "column", "message"), CELLS, ids=[f"{c[0]}-{c[3]}-{i}" for i, c in enumerate(CELLS)])
def test_a_bad_cell_is_named_by_file_line_column_and_fix(data, table, good, bad, column, message):
    line = spoil(data, table, good, bad)
    with pytest.raises(DataError) as error:
        load_table(table)
    assert len(error.value.problems) == 1, error.value.problems
    problem = error.value.problems[0]
    assert problem.startswith(f"data/{table}.csv line {line}: column '{column}': ")
    assert re.search(message, problem)


FILES = [
    (lambda raw: raw + b"h200,owning\n", r"hourly_rates.csv line LAST: 2 cells, the header has 12; one cell a column"),
    (lambda raw: raw.replace(b"h200,owning_", b"h200,SXM,owning_", 1), r"hourly_rates.csv line 5: 13 cells.*double quotes"),
    (
        lambda raw: raw.replace(b"rate_vintage", b"vintage", 1),
        r"line 1: column 'vintage': is not a column of this table; did you mean `rate_vintage`",
    ),
    (
        lambda raw: raw.replace(b"rate_vintage", b"vintage", 1),
        r"line 1: column 'rate_vintage': is missing; the header is accelerator,price_basis",
    ),
    (lambda raw: raw.replace(b",note\n", b",kind\n", 1), r"line 1: column 'kind': appears 2 times; keep one"),
    (
        lambda raw: raw + raw.splitlines(keepends=True)[4],
        r"line LAST: column 'quantity': the same row as line 5 \(accelerator h200, .*keep one of the two",
    ),
    (lambda raw: raw.replace(b"provisional", b"provisoire \xe9", 1), r"line \d+: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    (lambda raw: b"\xef\xbb\xbf" + raw, r"line 1: the file begins with a byte order mark"),
    (lambda raw: b"", r"hourly_rates.csv: the file is empty"),
    (lambda raw: raw.splitlines(keepends=True)[0], r"hourly_rates.csv: the file has a header and no row"),
    (lambda raw: raw.replace(b"\nh200", b"\n\nh200", 1), r"line 5: the line is empty; delete it"),
    (lambda raw: raw + b'h100,"owning', r"line LAST: not readable as CSV .*twice"),
    (lambda raw: None, r"hourly_rates.csv: there is no such file; put it back"),
]


@pytest.mark.parametrize(("change", "message"), FILES, ids=range(len(FILES)))
def test_a_broken_file_is_named_with_the_line_and_the_fix(data, change, message):
    path = data / "hourly_rates.csv"
    n_lines = path.read_bytes().count(b"\n")
    raw = change(path.read_bytes())
    path.unlink() if raw is None else path.write_bytes(raw)
    _, problems = examined("hourly_rates")
    message = message.replace("LAST", str(n_lines + 1))
    assert any(problem.startswith("data/hourly_rates.csv") and re.search(message, problem) for problem in problems), problems


def test_line_numbers_hold_behind_a_quoted_line_break(data):
    path = data / "hourly_rates.csv"
    first, second, *rest = path.read_text().splitlines(keepends=True)
    path.write_text(first + second.rstrip("\n") + '"two\nlines"\n' + "".join(rest).replace("1.41", "oops", 1))
    _, problems = examined("hourly_rates")
    assert [p.split(": ")[:2] for p in problems] == [
        ["data/hourly_rates.csv line 2", "column 'note'"],
        ["data/hourly_rates.csv line 6", "column 'value'"],
    ]


def test_all_problems_are_told_at_once(data):
    spoil(data, "hourly_rates", H200_RATE, H200_RATE.replace("1.41", "cheap"))
    spoil(data, "hourly_rates", "gb300,owning_hyperscaler,2026-03,rate_usd_per_gpu_h,2.652", "gb300,owned,2026-03,rate_usd_per_gpu_h,2652")
    spoil(data, "accelerators", B300_POWER, "b300,rated_power_w,1000,1100,1200,")
    assert len(examined("hourly_rates")[1]) == 3
    assert sum(problem.startswith(("data/hourly_rates.csv", "data/accelerators.csv")) for problem in check_all()) == 4


def test_a_measured_row_that_vanishes_is_noticed(data):
    path = data / "inference.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    (problem,) = check_all()
    counted = re.fullmatch(
        r"data/captures.csv: campaign \w+ held (\d+) rows, (\d+) in inference.csv and (\d+) in "
        "excluded_rows.csv; a row that is taken out of one belongs in the other",
        problem,
    )
    assert counted and int(counted[1]) == int(counted[2]) + int(counted[3]) + 1


def test_a_file_without_schema_and_a_source_without_use_are_noticed(data):
    (data / "prices_new.csv").write_text("a,b\n1,2\n")
    with open(data / "sources.csv", "a") as sources:
        sources.write("nobody,A title,A publisher,somewhere,2026,primary,MIT,,\n")
    found = check_all()
    assert len(found) == 2
    assert found[0].startswith("data/prices_new.csv: no schema describes this file")
    assert re.match(r"data/sources.csv line \d+: column 'source_id': no row cites 'nobody'", found[1])


def test_a_corrected_file_is_read_again(data):
    spoil(data, "hourly_rates", H200_RATE, H200_RATE.replace("1.41", "cheap"))
    with pytest.raises(DataError):
        load_table("hourly_rates")
    spoil(data, "hourly_rates", "cheap", "1.41")
    assert 1.41 in set(load_table("hourly_rates")["value"])


@pytest.mark.parametrize(
    ("good", "bad", "column", "problem"),
    [
        ("isl,1024", "prompt_length,1024", "name", "unknown name 'prompt_length'.*quantity or a label of the vocabulary"),
        ("pue,1.15", "pue,115 %", "value", "'115 %' is not a number"),
        ("utilization_frac,0.7", "utilization_frac,70", "value", r"`utilization_frac` must be in \[0.001, 1\], got 70; give a fraction"),
        ("baseline_accelerator,h200", "baseline_accelerator,hx200", "value", "unknown accelerator 'hx200'; did you mean `h200`"),
        ("isl,1024,", "isl,,", "value", "is empty"),
    ],
)
def test_a_base_case_that_the_vocabulary_does_not_allow_is_refused(data, good, bad, column, problem):
    path = data / "base_case.csv"
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(good)].count("\n") + 1
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(DataError, match=f"data/base_case.csv line {line}: column '{column}': {problem}"):
        base_case()
    assert any("base_case.csv" in one for one in check_all())
