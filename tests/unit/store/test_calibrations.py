import json
import math
from dataclasses import replace

import pytest
from builders import MACHINE, calibration, calibration_round

from keras_bench.analyze.calibration import Capability, Power, Rate
from keras_bench.errors import ResultsUnwritable
from keras_bench.records import GateSettings
from keras_bench.store.calibrations import calibration_file, save, smallest_slowdown

RATE = Rate(0.5, 0.4, 0.6, 1000)
FOUND = Capability(0.01, (Power(0.05, RATE, None, 12.0, 120.0),), 0.04, 150.0)
KNOWN = calibration(calibration_round(0.01), calibration_round(0.06, 0.05))


def saved(tmp_path, found=FOUND, known=KNOWN):
    return save(known, found, 0.05, tmp_path)


def read(tmp_path, fingerprint=MACHINE.fingerprint, workload="net", backend="jax", **settings):
    return smallest_slowdown(tmp_path, fingerprint, workload, backend, GateSettings(**settings))


def test_a_calibration_has_a_file_for_its_machine_workload_and_backend(tmp_path):
    file = saved(tmp_path)
    assert file == tmp_path / "calibration" / "0123abcd-net-jax.json"
    assert file == calibration_file(tmp_path, MACHINE.fingerprint, "net", "jax")


def test_what_was_measured_and_what_came_of_it_are_kept(tmp_path):
    document = json.loads(saved(tmp_path).read_text())
    assert document["threshold"] == 0.05
    assert [each["log_ratio"] for each in document["calibration"]["rounds"]] == [0.01, 0.06]
    assert document["capability"]["powers"][0]["regressed"]["value"] == 0.5


def test_a_file_is_strict_json_though_there_is_no_gate_in_order(tmp_path):
    def refuse(constant):
        raise AssertionError(constant)

    document = json.loads(saved(tmp_path).read_text(), parse_constant=refuse)
    assert document["capability"]["powers"][0]["in_order"] is None


def test_the_smallest_slowdown_comes_back(tmp_path):
    saved(tmp_path)
    assert read(tmp_path) == 0.04


def test_a_later_calibration_replaces_the_one_before(tmp_path):
    saved(tmp_path)
    saved(tmp_path, Capability(0.05, (), 0.15, 300.0))
    assert read(tmp_path) == 0.15


def test_where_no_slowdown_is_seen_for_sure_the_smallest_is_infinite(tmp_path):
    saved(tmp_path, Capability(1.5, (), None, None))
    assert read(tmp_path) == math.inf


def test_a_calibration_from_before_slices_says_nothing_of_them(tmp_path):
    saved(tmp_path, known=replace(KNOWN, method="turns"))
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "another"},
        {"workload": "other"},
        {"backend": "torch"},
        {"metric": "cpu"},
        {"threads": "default"},
    ],
    ids=str,
)
def test_what_was_calibrated_for_something_else_says_nothing(tmp_path, other):
    saved(tmp_path)
    assert read(tmp_path, **other) is None


def test_too_few_rounds_say_nothing(tmp_path):
    saved(tmp_path, Capability(None, (), None, None))
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"capability": null, "calibration": null}',
        b'{"capability": {"noise": 0.1, "smallest_slowdown": "0.1"}, "calibration": '
        b'{"metric": "wall", "threads": "single"}}',
    ],
)
def test_a_broken_file_keeps_nobody_from_measuring(tmp_path, content):
    file = saved(tmp_path)
    file.write_bytes(content)
    assert read(tmp_path) is None


def test_one_that_cannot_be_saved_is_an_error_of_its_own(tmp_path):
    (tmp_path / "calibration").write_text("a file, where a folder should be")
    with pytest.raises(ResultsUnwritable):
        saved(tmp_path)
