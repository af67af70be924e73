"""The feed has an entry for each answer that changed, and goes on wherever the folder was published."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.schedule import feed
from tokcost.schedule.make import Outcome

ATOM = "{http://www.w3.org/2005/Atom}"


def outcome(directory: Path, answer: str = "", failure: str = "", name: str = "ours", alerts: tuple[str, ...] = ()) -> Outcome:
    result = None if failure else {"question": "Q?", "answer": {"text": answer, "interval": "", "inputs": []}, "results": []}
    return Outcome(name, directory / f"{name}.html", result, None, failure, alerts)


def entries(directory: Path) -> list[tuple[str, str]]:
    found = ET.parse(directory / "feed.xml").getroot().findall(f"{ATOM}entry")
    return [(one.findtext(f"{ATOM}title"), one.findtext(f"{ATOM}summary")) for one in found]


def test_an_answer_is_entered_when_it_changes_and_not_when_it_stays(tmp_path):
    for answer in ("1 USD", "1 USD", "2 **USD** & `<b>`", "1 USD"):
        feed.update(tmp_path, [outcome(tmp_path, answer)])
    assert entries(tmp_path) == [("ours: answer", "1 USD"), ("ours: answer", "2 USD & <b>"), ("ours: answer", "1 USD")]


def test_a_failure_is_entered_once_and_so_is_its_end(tmp_path):
    for one in ("", "cell 3 failed", "cell 3 failed", ""):
        feed.update(tmp_path, [outcome(tmp_path, "1 USD", one), outcome(tmp_path, "5 USD", name="other")])
    assert [title for title, _ in entries(tmp_path)] == ["ours: answer", "ours: failed", "ours: answer", "other: answer"]


def test_an_alert_is_entered_when_it_is_set_off_and_its_absence_is_no_news(tmp_path):
    for alerts in ((), ("cost > 4",), (), ()):
        feed.update(tmp_path, [outcome(tmp_path, "5 USD", alerts=alerts)])
    assert entries(tmp_path) == [("ours: alert", "ALERT. cost > 4\n5 USD"), ("ours: answer", "5 USD")]


def test_the_feed_has_what_the_standard_asks_for_and_old_entries_fall_out(tmp_path, monkeypatch):
    monkeypatch.setattr(feed, "MOST_ENTRIES", 3)
    (tmp_path / "ours.html").write_text("")
    for number in range(5):
        feed.update(tmp_path, [outcome(tmp_path, f"{number} USD")])
    root = ET.parse(tmp_path / "feed.xml").getroot()
    assert root.tag == f"{ATOM}feed" and root.findtext(f"{ATOM}author/{ATOM}name") == "tokcost"
    found = root.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}summary") for one in found] == ["4 USD", "3 USD", "2 USD"]
    for one in (root, *found):
        assert all(one.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
        assert one.find(f"{ATOM}link").get("href") in ("index.html", "ours.html"), "links hold on any server"
    identities = [one.findtext(f"{ATOM}id") for one in (root, *found)]
    assert len(set(identities)) == 4 and all(identity.startswith("urn:uuid:") for identity in identities)


@pytest.mark.parametrize("damaged", ["", "<feed", "<html/>"])
def test_a_damaged_feed_is_kept_aside_and_a_new_one_begun(tmp_path, damaged):
    (tmp_path / "feed.xml").write_text(damaged)
    feed.update(tmp_path, [outcome(tmp_path, "1 USD")])
    assert entries(tmp_path) == [("ours: answer", "1 USD")] and (tmp_path / "feed.xml.damaged").read_text() == damaged


def test_the_index_links_to_the_feed_from_the_first_run_on(define, notebook):
    notebook(), define("", "a"), define("", "b")
    assert CliRunner().invoke(main, ["schedule", ".", "--once", "-o", "out"]).exit_code == 0
    assert 'href="feed.xml"' in Path("out/index.html").read_text(encoding="utf-8")
    assert [title for title, _ in entries(Path("out"))] == ["b: answer", "a: answer"]
