"""Which rows of a table changed, named so that they are found."""

from tokcost.report.memory.rows import MOST_NAMED, changed_rows, moved_rows

HEAD = "accelerator,rate_vintage,quantity,value,low,high,source_id,date\n"


def table(*rows: str) -> bytes:
    return (HEAD + "\n".join(rows) + "\n").encode()


def test_a_changed_value_is_named_with_line_and_keys():
    before = table("h200,2026-09,rate,1.41,,,s1,2026-09-01", "b200,2026-09,rate,2.8,,,s1,2026-09-01")
    after = table("b200,2026-09,rate,2.8,,,s1,2026-09-01", "h200,2026-09,rate,1.52,1.4,1.6,s2,2026-12-01")
    said = "rates.csv line 3 (h200, 2026-09, rate): value 1.41 to 1.52, low empty to 1.4, high empty to 1.6, source_id s1 to s2, "
    assert changed_rows("rates.csv", before, after) == [said + "date 2026-09-01 to 2026-12-01"]


def test_new_and_removed_rows_are_named_and_moved_ones_are_not():
    before = table("h200,2026-09,rate,1.41,,,s1,d", "mi300x,2025-01,power,9,1,2,x,y")
    after = table("gb300,2026-09,rate,3.2,3,4,s3,e", "h200,2026-09,rate,1.41,,,s1,d")
    assert changed_rows("r.csv", before, after) == [
        "r.csv line 2 (gb300, 2026-09, rate): new",
        "r.csv line 3 of before (mi300x, 2025-01, power): removed",
    ]


def test_a_row_that_stands_twice_and_then_once_is_removed_once():
    row = "h200,2026-09,rate,1.41,,,s1,d"
    assert changed_rows("r.csv", table(row, row), table(row)) == ["r.csv line 3 of before (h200, 2026-09, rate): removed"]


def test_of_many_rows_some_are_named_and_the_rest_counted():
    before, after = (table(*(f"h200,v{n},rate,{n + more},,,s1,d" for n in range(2000))) for more in (0, 1))
    said = changed_rows("r.csv", before, after)
    assert len(said) == MOST_NAMED + 1 and said[-1].startswith("r.csv: ") and said[-1].endswith(" more rows")


def test_what_cannot_be_compared_says_why():
    assert changed_rows("r.csv", None, table()) == ["r.csv: changed; its rows were not kept, so that they cannot be compared"]
    assert changed_rows("r.csv", b"a,b\n", b"a,c\n") == ["r.csv: its columns changed"]
    assert moved_rows({"new.csv": (None, "a"), "old.csv": ("b", None)}, {}.get) == [
        "new.csv: used for the first time",
        "old.csv: no longer used",
    ]
