"""What `gate` says before it measures, of what this machine was found to see."""

from io import StringIO

import pytest
from builders import calibration

from keras_bench.analyze.calibration import Capability
from keras_bench.commands.gate import _warn_of_blindness
from keras_bench.measure.machine import this_machine
from keras_bench.records import GateSettings
from keras_bench.report.terminal import VisibleConsole
from keras_bench.store.calibrations import save

NAME = "dense_3_5_2"


@pytest.fixture
def said(tmp_path):
    def said(*names: str, smallest: float | None = 0.04, noise=0.01, **settings) -> str:
        known = calibration(machine=this_machine(), workload=NAME)
        save(known, Capability(noise, (), smallest, 100.0), 0.05, tmp_path)
        console = VisibleConsole(file=StringIO(), width=60, highlight=False)
        _warn_of_blindness(console, names, "jax", GateSettings(**settings), tmp_path)
        return console.file.getvalue()

    return said


def test_a_threshold_below_what_is_seen_is_warned_of_in_one_line(said):
    assert said(NAME, threshold=0.025) == (
        "warning: dense_3_5_2 on jax: of slowdowns this machine sees 4% at best, by calibration;"
        " with --threshold 0.025 expect undecided\n"
    )


def test_a_machine_that_sees_none_is_warned_of(said):
    assert "this machine sees none for sure, by calibration" in said(NAME, smallest=None)


@pytest.mark.parametrize("threshold", [0.04, 0.05])
def test_a_threshold_that_is_seen_needs_no_warning(said, threshold):
    assert said(NAME, threshold=threshold) == ""


def test_each_workload_is_warned_of(said):
    assert said(NAME, NAME, threshold=0.01).count(NAME) == 2


@pytest.mark.parametrize("settings", [{"metric": "cpu"}, {"threads": "default"}], ids=str)
def test_what_was_calibrated_otherwise_is_no_warning(said, settings):
    assert said(NAME, threshold=0.01, **settings) == ""


def test_what_was_never_calibrated_is_no_warning(said):
    assert said("another", threshold=0.01) == ""
    assert said(NAME, noise=None, smallest=None, threshold=0.01) == ""
