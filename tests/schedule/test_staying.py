"""`tokcost schedule` as a process that stays: it makes up for what was missed, ends politely, and is alone in its folder."""

import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEEKLY = '[schedule]\ncron = "0 6 * * mon"\ntime_zone = "UTC"\n[deliver]\nfolder = "sent"\n'


@pytest.fixture
def stay(define, notebook, warm_tokcost):
    """Start a scheduler whose report was last made long ago, so that it has something to do at once."""
    Path("out").mkdir()
    Path("out/ours.result.json").write_text(json.dumps({"times": {"started": "2026-01-01T00:00:00+00:00"}}))
    started = []

    def start(*cells):
        notebook(*cells), define(WEEKLY)
        command = [warm_tokcost, "schedule", "ours.toml", "--output", "out"]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines_until(process, words):
    """What a process says up to the line that holds `words`."""
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return said
    raise AssertionError(f"it ended before it said {words!r}: {''.join(said)}")


def test_it_makes_up_for_what_was_missed_and_ends_when_it_is_told_to(stay):
    process = stay()
    said = lines_until(process, "sent: copy to sent")
    assert "At 06:00 on Monday, UTC; next 20" in said[0] and "when no scheduler ran; it is made now" in said[1]
    process.send_signal(signal.SIGTERM)
    assert "stopped; what was not finished is as it was" in process.communicate(timeout=60)[1] and process.returncode == 0
    assert Path("sent/ours.html").is_file()


def test_a_polite_end_in_the_middle_of_a_report_leaves_nothing_behind_and_sends_nothing(stay):
    process = stay("import os, time\nopen('here', 'w').write(str(os.getpid()))\ntime.sleep(600)")
    lines_until(process, "begins")
    for _ in range(240):
        if Path("here").is_file() and Path("here").read_text():
            break
        threading.Event().wait(0.25)
    kernel = int(Path("here").read_text())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0 and not Path("sent").exists() and not Path("out/ours.html").exists()
    for _ in range(40):
        if not Path(f"/proc/{kernel}").exists():
            return
        threading.Event().wait(0.25)
    raise AssertionError("the kernel still runs")


def test_a_second_scheduler_on_the_same_folder_is_refused(stay):
    first = stay()
    lines_until(first, "next 20")
    second = stay()
    said = second.communicate(timeout=60)[1]
    assert second.returncode == 2 and "another tokcost schedule works on out; end it first, or choose another --output" in said
