import json

import pytest
from builders import failure
from comparing_builders import measured_arm, measured_run_of
from history_builders import history_rows_of, started

from keras_bench.analyze.compared import compare
from keras_bench.analyze.compared_answer import conclusion
from keras_bench.errors import ResultsUnwritable
from keras_bench.store.comparisons import save

CALM = (0.0500, 0.0501, 0.0499, 0.0502, 0.0498, 0.0500)
HISTORY = history_rows_of([0.0, 0.01, -0.01, 0.01, -0.01, 0.0, 0.01])
BEFORE = measured_run_of(
    measured_arm("jax", *CALM),
    measured_arm("torch", *CALM),
    measured_arm("tensorflow", 0.1),
    started_utc=started(10),
)
AFTER = measured_run_of(
    measured_arm("jax", *[1.3 * seconds for seconds in CALM]),
    measured_arm("torch", failure=failure()),
    measured_arm("tensorflow", 0.2),
    source="after",
    started_utc=started(12),
)
FOUND = compare(BEFORE, AFTER, HISTORY, 0.05)


@pytest.fixture
def document(tmp_path):
    def refuse(constant):
        raise AssertionError(constant)

    save(FOUND, tmp_path / "new" / "compared.json")
    text = (tmp_path / "new" / "compared.json").read_text()
    return json.loads(text, parse_constant=refuse)


def test_the_runs_and_the_sentences_are_those_of_the_comparison(document):
    assert document["baseline"]["source"] == "before"
    assert document["candidate"]["started_utc"] == started(12)
    assert document["candidate"]["machine"]["fingerprint"] == "0123abcd"
    assert document["threshold"] == 0.05
    assert document["versions"] == "the same versions on both sides"
    assert (document["differences"], document["worth"]) == ([], None)
    assert [pair["sentence"] for pair in document["pairs"]] == [
        conclusion(pair, FOUND).sentence for pair in FOUND.pairs
    ]


def test_a_verdict_comes_with_all_its_figures(document):
    pair, found = document["pairs"][0], FOUND.pairs[0]
    assert (pair["workload"], pair["backend"], pair["verdict"]) == ("net", "jax", "regressed")
    assert pair["doubt"] is None
    assert [pair["ratio"], pair["ratio_low"], pair["ratio_high"]] == [
        found.ratio.value, found.ratio.low, found.ratio.high,
    ]  # fmt: skip
    assert [pair["lasting_ratio_low"], pair["lasting_ratio_high"]] == [
        found.lasting.low, found.lasting.high,
    ]  # fmt: skip
    assert pair["visible_change"] == found.visible_change
    assert pair["between_runs_deviation"] == found.between.deviation
    assert (pair["between_runs_freedom"], pair["between_runs_reach_seconds"]) == (6, 3600)
    assert pair["candidate_epoch_seconds"] == pytest.approx(0.065, rel=0.01)
    assert (pair["baseline_processes"], pair["candidate_processes"]) == (6, 6)


def test_what_is_not_known_is_null(document):
    _, failed, undecided = document["pairs"]
    assert (failed["verdict"], failed["ratio"], failed["candidate_epoch_seconds"]) == (
        "failed", None, None,
    )  # fmt: skip
    assert (undecided["verdict"], undecided["doubt"]) == ("undecided", "processes")
    assert (undecided["ratio"], undecided["ratio_low"]) == (None, None)
    assert undecided["visible_change"] is None
    assert undecided["between_runs_freedom"] is None


def test_a_file_that_cannot_be_written_is_an_error_of_its_own(tmp_path):
    (tmp_path / "results").write_text("a file, where a folder should be")
    with pytest.raises(ResultsUnwritable):
        save(FOUND, tmp_path / "results" / "compared.json")
