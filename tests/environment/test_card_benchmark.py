"""benchmarks/gpu: what is worked out from seconds and joules, and that a machine without a card is told so in a sentence."""

import contextlib
import csv
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from click.testing import CliRunner

from benchmarks.gpu import measure
from benchmarks.gpu.measure import CONTEXTS, Measured, Sample, row, watts_between, why_not
from tokcost.cli import main
from tokcost.evidence import DataError
from tokcost.evidence.schema import TABLES
from tokcost.renew.rows import rows_of_file

ROOT = Path(__file__).parents[2]


def test_a_row_follows_from_seconds_and_watts():
    """A step of 10 ms whatever the context, 8 sequences, 0.77 s of prefill: 8 x 1,024 tokens in 0.77 + 1,023 x 0.01 = 11 s."""
    flat = dict.fromkeys(CONTEXTS, 0.01)
    found = row(Measured(8, 0.77, False, flat, 0.01, 500.0, 700.0, 1980, False))
    assert float(found["output_tok_per_s_per_gpu"]) == pytest.approx(8 * 1024 / 11, rel=1e-5)
    assert float(found["tok_per_s_per_user"]) == pytest.approx(100)
    assert float(found["decode_output_token_energy_joule_per_tok"]) == pytest.approx(500 * 0.01 / 8)
    assert float(found["output_token_energy_joule_per_tok"]) == pytest.approx((700 * 0.77 + 500 * 10.23) / 8192, rel=1e-5)
    assert set(found) <= set(TABLES["own_gpu_runs"].columns)


def test_a_card_at_its_power_limit_is_slower_by_as_much_in_every_step():
    rising = {context: 0.01 + context * 1e-6 for context in CONTEXTS}
    found = row(Measured(8, 1.0, True, rising, 1.02 * rising[1536], 700.0, 700.0, 1700, True))
    assert float(found["decode_step_s"]) == pytest.approx(1.02 * (0.01 + 1536 * 1e-6), rel=1e-4)
    assert found["is_power_limited"] == found["is_prefill_scaled"] == "true"


def test_watts_are_those_between_changes_of_the_counter():
    counter = [Sample(*one) for one in [(0.0, 0.0), (0.1, 0.0), (0.2, 60.0), (0.3, 60.0), (1.2, 660.0), (1.3, 660.0)]]
    assert watts_between(counter) == pytest.approx(600)
    with pytest.raises(SystemExit, match="energy counter of this card did not move"):
        watts_between(counter[:2])


@pytest.mark.skipif(not why_not(), reason="there is a card here")
def test_without_a_card_it_says_so_and_writes_nothing(tmp_path):
    command = [sys.executable, ROOT / "benchmarks" / "gpu" / "measure.py", "--output", tmp_path / "card.csv"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("nothing is measured: ") and not (tmp_path / "card.csv").exists()


def test_it_needs_nothing_of_tokcost(tmp_path):
    """A machine with a card holds PyTorch, and seldom this suite."""
    code = "import sys; sys.modules['tokcost'] = None; from benchmarks.gpu import measure; sys.exit(measure.main(sys.argv[1:]))"
    for script in (["-c", code, "--output", tmp_path / "card.csv"], [ROOT / "benchmarks" / "gpu" / "host_link.py"]):
        done = subprocess.run([sys.executable, "-S", *script], capture_output=True, text=True, cwd=ROOT)  # -S: no installed packages
        assert (done.returncode, done.stdout) == (0, "nothing is measured: PyTorch is not installed here\n"), done.stderr


def test_a_chip_that_is_named_stands_and_a_column_that_is_misspelt_is_named(tmp_path):
    (tmp_path / "card.csv").write_text("card,accelerator,batch\nNVIDIA H100 80GB HBM3,h100_pcie,1\nNVIDIA H200,,1\n")
    assert [row["accelerator"] for row in rows_of_file(tmp_path / "card.csv", "own_gpu_runs", {})] == ["h100_pcie", "h200"]
    with pytest.raises(DataError, match="row 1: accelerator is h100_pcie in the file, --set says b200"):
        rows_of_file(tmp_path / "card.csv", "own_gpu_runs", {"accelerator": "b200"})
    (tmp_path / "card.csv").write_text("card,bach\nNVIDIA H200,1\n")
    with pytest.raises(DataError, match="`bach` is no column of `own_gpu_runs`.*batch"):
        rows_of_file(tmp_path / "card.csv", "own_gpu_runs", {})


@pytest.fixture
def card(monkeypatch):
    """PyTorch and NVML of a machine with a card that takes 500 W, needs 10 ms for each call, and holds four requests."""

    meters, start = [], measure.Meter.start

    def work():
        """A millisecond, after which the card is read: a busy machine wakes the thread that reads it when it likes."""
        time.sleep(0.001)
        for meter in meters:
            meter.samples.append(meter.read())

    @contextlib.contextmanager
    def there(gigabytes=80.0, capture=None, counter=lambda card: 500_000 * time.monotonic()):
        torch, nvml, model = (MagicMock(name=name) for name in ("torch", "pynvml", "model"))
        nvml.NVMLError, torch.OutOfMemoryError = type("NVMLError", (Exception,), {}), MemoryError
        torch.cuda.get_device_properties.return_value.uuid = "1b2c"
        torch.cuda.graph.side_effect = capture
        torch.__version__, torch.version.cuda = "2.9", "13.0"
        torch.cuda.get_device_name.return_value = "NVIDIA H200"
        torch.cuda.get_device_properties.return_value.total_memory = gigabytes * 1e9
        torch.cuda.mem_get_info.return_value = (4 * 2048 / 0.79, 0)
        torch.cuda.Event.return_value.elapsed_time.return_value = 10.0
        torch.cuda.CUDAGraph.return_value.replay.side_effect = model.Model.return_value.forward.side_effect = lambda *of: work()
        model.Model.return_value.shape.cache_bytes_per_token = 1
        model.Model.return_value.caches.return_value = [([0] * 4, [0] * 4)]
        nvml.nvmlSystemGetDriverVersion.return_value = "580"
        nvml.nvmlDeviceGetHandleByUUID.side_effect = {"GPU-1b2c": "the card"}.__getitem__
        nvml.nvmlDeviceGetTotalEnergyConsumption.side_effect = counter
        nvml.nvmlDeviceGetClockInfo.return_value, nvml.nvmlDeviceGetCurrentClocksEventReasons.return_value = 1980, 4
        with monkeypatch.context() as now:
            for name, module in {"torch": torch, "pynvml": nvml, "benchmarks.gpu.model": model}.items():
                now.setitem(sys.modules, name, module)
            now.setattr(measure, "WINDOW_S", 0.05)
            now.setattr(measure.Meter, "start", lambda meter: meters.append(meter) or start(meter))
            yield nvml

    return there


def test_what_is_measured_on_a_card_is_rows_that_data_add_takes(tmp_path, card, capsys):
    """The whole script on a card of paper: up to the batch that does not fit, and its file into own_gpu_runs."""
    with card():
        assert measure.main(["--output", str(tmp_path / "card.csv")]) == 0
    assert "batch 8 does not fit: the measurement ends here\n2 rows to" in capsys.readouterr().out
    source = {"title": "Our card", "publisher": "us", "locator": "here", "date": "2026-11-27", "grade": "primary", "licence": "own"}
    told = [part for name, text in source.items() for part in ("--source-is", f"{name}={text}")]
    adding = ["data", "add", str(tmp_path / "card.csv"), "--as", "own_gpu_runs", "--source", "our_card", "--dry-run", "--no-headlines"]
    done = CliRunner().invoke(main, [*adding, *told])
    assert done.exit_code == 0 and done.output.startswith("2 rows for own_gpu_runs.csv"), done.output
    with open(tmp_path / "card.csv") as file:
        first = next(csv.DictReader(file))
    assert (first["card"], first["sm_clock_mhz"], first["is_power_limited"]) == ("NVIDIA H200", "1980", "true")
    assert {row["accelerator"] for row in rows_of_file(tmp_path / "card.csv", "own_gpu_runs", {})} == {"h200"}
    assert first["locator"] == "NVIDIA H200, board 1b2c, cuda_graph, batch 1"  # boards of one kind are told apart
    assert 100 < float(first["decode_average_w_per_gpu"]) < 2500  # of a machine with other work too


def test_a_card_too_small_and_a_folder_that_is_not_there_are_said_before_anything_runs(tmp_path, card, capsys):
    with card(gigabytes=16.0):
        assert measure.main(["--output", str(tmp_path / "card.csv")]) == 0
    assert capsys.readouterr().out == "nothing is measured: the card has 16 GB, and the weights with one request need 20\n"
    with pytest.raises(SystemExit):
        measure.main(["--output", str(tmp_path / "none" / "card.csv")])
    assert f"there is no folder {tmp_path / 'none'}" in capsys.readouterr().err


def test_a_batch_that_runs_out_of_memory_ends_the_measurement_and_loses_none(tmp_path, card, capsys):
    """A card of 24 GB may hold the cache of a batch and not what reading its prompts needs besides."""
    captures = iter([MagicMock()] * len(CONTEXTS))
    with card(capture=lambda *of, **how: next(captures, None) or (_ for _ in ()).throw(MemoryError)):
        assert measure.main(["--output", str(tmp_path / "card.csv")]) == 0
    assert "batch 4 does not fit: the measurement ends here\n1 rows to" in capsys.readouterr().out
    assert len((tmp_path / "card.csv").read_text().splitlines()) == 2


def test_a_card_without_an_energy_counter_is_told_so(tmp_path, card, capsys):
    def none(card):
        raise sys.modules["pynvml"].NVMLError("Not Supported")

    with card(counter=none):
        assert measure.main(["--output", str(tmp_path / "card.csv")]) == 0
    assert capsys.readouterr().out == "nothing is measured: the energy counter of the card cannot be read (Not Supported)\n"
    assert not (tmp_path / "card.csv").exists()


def test_the_clock_is_that_of_the_load_and_not_of_the_moment_after(card):
    """A card that ran at 1,700 MHz under its power limit and is idle when the load has ended."""
    with card() as nvml:
        meter = measure.Meter(nvml, "the card")
        under_load = [Sample(0, 0, 1700, 4)._replace(at_s=time.monotonic() + 0.001 * i, joules=0.5 * i) for i in range(40)]
        meter.samples = [*under_load, Sample(time.monotonic() + 9, 0, 210, 1)]
        window = meter.sustained(lambda: time.sleep(0.01), lambda: None)
    assert (window.sm_clock_mhz, window.is_power_limited) == (1700, True) and window.average_w == pytest.approx(500, rel=0.01)
