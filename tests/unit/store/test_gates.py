import json
import math
import sys

import pytest
from builders import (
    DIFFERS,
    EXPLAINED,
    FIRST_LOOK,
    around,
    failure,
    gate,
    sample,
    side,
    two_sides,
)

from keras_bench.analyze.gate_answer import answer, ending
from keras_bench.analyze.pairs import pairs
from keras_bench.errors import ResultsBroken, ResultsUnwritable
from keras_bench.records import SCHEMA_VERSION, UNCHECKED, GateSettings
from keras_bench.store.gates import gate_file, load, save

REGRESSED = gate(
    *two_sides(around(0.1, 2 * FIRST_LOOK)),
    *two_sides(around(0.0, FIRST_LOOK), workload="other net"),
)
ODD = gate(
    side("baseline", workload="failed", failure=failure()),
    side("candidate", workload="failed", parity=EXPLAINED),
    side("baseline", workload="odd", parity=UNCHECKED),
    side("candidate", workload="odd", parity=DIFFERS),
    settings=GateSettings(0.025, "cpu", 90.0, "2", 1, seed=7, parity=False),
    stopped="parity",
)
LEFT_OUT = gate(
    *[
        side(
            label,
            0.1,
            sample(0.1, round=2),
            sample(0.1, epoch_cpu_seconds=(0.0,) * 10, round=3),
        )
        for label in ("baseline", "candidate")
    ],
    settings=GateSettings(metric="cpu"),
    complete=False,
    stopped="interrupted",
)


def saved(the_gate, folder):
    file = gate_file(the_gate, folder)
    save(the_gate, pairs(the_gate), file)
    return file


def document(the_gate, folder):
    return json.loads(saved(the_gate, folder).read_text())


every_gate = pytest.mark.parametrize(
    "the_gate",
    [REGRESSED, ODD, LEFT_OUT],
    ids=["regressed", "odd", "left out"],
)


@every_gate
def test_a_gate_comes_back_as_it_was_saved(tmp_path, the_gate):
    file = saved(the_gate, tmp_path)
    assert load(file) == the_gate
    assert pairs(load(file)) == pairs(the_gate)


def test_a_gate_is_named_after_its_time_and_machine(tmp_path):
    file = gate_file(REGRESSED, tmp_path)
    assert file == tmp_path / "gates" / "20260102T030405Z-0123abcd.json"


def test_saving_again_replaces_the_file(tmp_path):
    first = gate(*two_sides([0.0]))
    saved(first, tmp_path)
    file = saved(REGRESSED, tmp_path)
    assert load(file) == REGRESSED
    assert list(file.parent.iterdir()) == [file]


def test_a_gate_that_cannot_be_saved_is_an_error_of_its_own(tmp_path):
    (tmp_path / "gates").write_text("a file, where a folder should be")
    with pytest.raises(ResultsUnwritable):
        saved(REGRESSED, tmp_path)


def test_what_was_found_stands_beside_what_was_measured(tmp_path):
    known = document(REGRESSED, tmp_path)
    regressed, unchanged = pairs(REGRESSED)
    assert known["ending"] == ending(REGRESSED)
    first, second = known["pairs"]
    ratio = regressed.judgement.ratio
    assert first == {
        "workload": "net",
        "backend": "jax",
        "verdict": "regressed",
        "sentence": answer(regressed, 0.05),
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "visible_change": ratio.high / ratio.low - 1,
        "rounds": 2 * FIRST_LOOK,
        "confirming": "regressed",
        "confirming_rounds": FIRST_LOOK,
        "left_out_rounds": [],
        "baseline_epoch_seconds": regressed.baseline_epoch.value,
        "baseline_epoch_seconds_low": regressed.baseline_epoch.low,
        "baseline_epoch_seconds_high": regressed.baseline_epoch.high,
        "candidate_epoch_seconds": regressed.candidate_epoch.value,
        "candidate_epoch_seconds_low": regressed.candidate_epoch.low,
        "candidate_epoch_seconds_high": regressed.candidate_epoch.high,
    }
    assert (second["workload"], second["verdict"]) == ("other net", "unchanged")
    assert (second["confirming"], second["confirming_rounds"]) == (None, 0)
    assert second["sentence"] == answer(unchanged, 0.05)


def test_the_threshold_of_the_sentences_is_that_of_the_settings(tmp_path):
    strict = gate(*two_sides(around(0.0, FIRST_LOOK)), settings=GateSettings(threshold=0.025))
    assert "less than 2.5% either way" in document(strict, tmp_path)["pairs"][0]["sentence"]


def test_what_is_not_known_is_null(tmp_path):
    for found in document(ODD, tmp_path)["pairs"]:
        unknown = {name for name, value in found.items() if value is None}
        assert unknown == {
            "ratio", "ratio_low", "ratio_high", "visible_change", "confirming",
            "baseline_epoch_seconds", "baseline_epoch_seconds_low", "baseline_epoch_seconds_high",
            "candidate_epoch_seconds", "candidate_epoch_seconds_low",
            "candidate_epoch_seconds_high",
        }  # fmt: skip


def test_rounds_that_were_left_out_are_listed(tmp_path):
    (found,) = document(LEFT_OUT, tmp_path)["pairs"]
    assert found["rounds"] == 2
    assert found["left_out_rounds"] == [{"round": 3, "reason": "the clock jumped"}]


@every_gate
def test_a_file_names_no_folder_of_the_machine_and_is_strict_json(tmp_path, the_gate):
    text = saved(the_gate, tmp_path).read_text()
    assert str(tmp_path) not in text
    assert str(sys.prefix) not in text

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)
    assert text.endswith("}\n")


# Files that are none.


def broken(tmp_path, content):
    file = tmp_path / "broken.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ResultsBroken) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: isn't a gate of keras-bench (")
    assert message.endswith("); name a file of results/gates/")
    assert "\n" not in message
    return message


def test_a_missing_file_is_an_error_of_one_line(tmp_path):
    with pytest.raises(ResultsBroken, match=r"can't be read \(no such file or directory\)") as it:
        load(tmp_path / "none.json")
    assert "\n" not in str(it.value)


def test_a_folder_is_no_gate(tmp_path):
    with pytest.raises(ResultsBroken, match="can't be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"keras-bench", b"\xff\xfe\x00", b"\x00" * 4096, b"[" * 100_000],
    ids=["empty", "a line", "text", "bytes", "zeros", "deep"],
)
def test_a_file_that_is_not_json_is_broken(tmp_path, content):
    broken(tmp_path, content)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_broken(tmp_path, share):
    content = saved(REGRESSED, tmp_path).read_bytes()
    broken(tmp_path, content[: int(share * len(content))])


@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        "a text",
        [],
        {},
        {"gate": None},
        {"gate": []},
        {"gate": "a text"},
        {"gate": {}},
        {"gate": {"schema_version": SCHEMA_VERSION}},
        {"machine_info": {"keras_bench": {"schema_version": SCHEMA_VERSION}}, "benchmarks": []},
    ],
    ids=repr,
)
def test_json_of_another_kind_is_no_gate(tmp_path, content):
    broken(tmp_path, content)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, None, "1"], ids=repr)
def test_another_schema_version_is_named(tmp_path, version):
    known = document(REGRESSED, tmp_path)
    known["gate"]["schema_version"] = version
    assert f"(schema version {version!r}" in broken(tmp_path, known)


def changed(known, value, *path):
    *folders, last = path
    inner = known
    for name in folders:
        inner = inner[name]
    inner[last] = value
    return known


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("soon", ("elapsed_seconds",)),
        ("fast", ("settings", "metric")),
        (None, ("machine",)),
        ({}, ("results",)),
        ("many", ("results", 0, "samples", 0, "examples")),
        ([1.0, "x"], ("results", 1, "samples", 2, "epoch_seconds")),
        ({"outcome": "perhaps", "summary": ""}, ("results", 0, "parity")),
    ],
    ids=lambda it: ".".join(map(str, it)) if isinstance(it, tuple) else None,
)
def test_a_field_of_the_wrong_type_is_named_with_its_place(tmp_path, value, path):
    known = document(REGRESSED, tmp_path)
    message = broken(tmp_path, {"gate": changed(known["gate"], value, *path)})
    names = [name for name in path if isinstance(name, str)]
    assert f".{names[-1]}" in message


def test_a_gate_without_a_field_that_it_needs_is_broken(tmp_path):
    known = document(REGRESSED, tmp_path)
    del known["gate"]["machine"]
    assert "machine" in broken(tmp_path, known)


def test_what_was_found_is_worked_out_anew_from_what_was_measured(tmp_path):
    file = saved(REGRESSED, tmp_path)
    known = json.loads(file.read_text())
    known["pairs"], known["ending"] = [], ""
    file.write_text(json.dumps(known))
    assert [pair.judgement.verdict for pair in pairs(load(file))] == ["regressed", "unchanged"]


def test_the_time_of_a_sample_is_kept_to_the_last_digit(tmp_path):
    seconds = math.pi / 31
    exact = gate(side("baseline", seconds), side("candidate", seconds * (1 + 1e-15)))
    epochs = [each.samples[0].epoch_seconds[-1] for each in load(saved(exact, tmp_path)).results]
    assert epochs == [seconds, seconds * (1 + 1e-15)]
