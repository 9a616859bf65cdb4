import json
import math
from dataclasses import asdict

import pytest
from builders import (
    ENVIRONMENT,
    REFUSED,
    cause,
    deviation,
    failed_learner,
    learner,
    loop_verdict,
    running_losses,
    verdict,
)

from keras_bench.errors import ResultsUnwritable
from keras_bench.measure.parity_workers import ParitySettings
from keras_bench.parity.loops import sentence_of_loop
from keras_bench.parity.places import EPOCH_LOSS, EPOCH_METRIC, FORWARD, RUNNING_LOSS, UPDATE
from keras_bench.parity.verdict import sentence
from keras_bench.store.parity import FIRST_PLACES, save, save_loop_verdicts

OFF = deviation(FORWARD, "hidden", epoch=1, step=2, size=1e-4, bound=1e-6)
STATE_OFF = deviation(UPDATE, "optimizer/velocity", size=0.5)
AGREES = learner("jax", deviation(), losses=running_losses(0.5, 0.25))
EXPLAINED = learner(
    "tensorflow",
    STATE_OFF,
    outcome="explained",
    causes=(cause("the optimizer's velocity", STATE_OFF, reason="its epsilon is elsewhere"),),
    losses=running_losses(0.51, 0.26),
)
DIFFERS = learner(
    "torch",
    OFF,
    STATE_OFF,
    outcome="differs",
    causes=(
        cause("the output of layer hidden", OFF),
        cause("the optimizer's velocity", STATE_OFF, reason="it is built with other constants"),
    ),
    losses=running_losses(0.52, 0.27),
)
UNCHECKED = failed_learner("torch")
SETTINGS = asdict(ParitySettings(dtype="float64", epochs=3, seed=7))


def refuse(constant):
    raise AssertionError(constant)


def saved(tmp_path, *verdicts):
    file = tmp_path / "parity.json"
    save(verdicts, {"jax": ENVIRONMENT}, SETTINGS, file)
    return json.loads(file.read_text(), parse_constant=refuse)


def workload_in(tmp_path, the_verdict):
    (found,) = saved(tmp_path, the_verdict)["workloads"]
    return found


def test_every_workload_is_told_in_its_order(tmp_path):
    second = verdict(
        UNCHECKED,
        workload="other",
        dtype="float64",
        epochs=3,
        source="",
        losses=(),
        remarks=("FIT's callbacks is left out",),
    )
    document = saved(tmp_path, verdict(AGREES), second)
    assert document["schema_version"] == 1
    about = ("workload", "dtype", "epochs", "reference", "remarks")
    assert [[each[name] for name in about] for each in document["workloads"]] == [
        ["net", "float32", 1, "the NumPy reference", []],
        ["other", "float64", 3, "", ["FIT's callbacks is left out"]],
    ]


def test_it_tells_what_was_asked_for_and_what_it_ran_on(tmp_path):
    document = saved(tmp_path, verdict(AGREES))
    assert document["settings"] == {
        "dtype": "float64",
        "epochs": 3,
        "most_steps": None,
        "most_numbers": None,
        "tolerance": 0.0,
        "seed": 7,
        "threads": "default",
    }
    assert document["environments"] == {
        "jax": {"python": ENVIRONMENT.python_version, **dict(ENVIRONMENT.packages)}
    }


@pytest.mark.parametrize(
    "backend", [AGREES, EXPLAINED, DIFFERS, UNCHECKED], ids=lambda b: b.outcome
)
def test_each_backend_has_its_outcome_and_the_sentence_that_is_printed(tmp_path, backend):
    (told,) = workload_in(tmp_path, verdict(backend))["backends"]
    assert told["backend"] == backend.backend
    assert told["outcome"] == backend.outcome
    assert told["sentence"] == sentence(backend)
    assert told["failure"] == (backend.failure or None)


def test_of_two_backends_it_says_that_either_may_be_off(tmp_path):
    (told,) = workload_in(tmp_path, verdict(DIFFERS, knows_who=False))["backends"]
    assert told["sentence"].endswith(
        "; most backends don't agree, so any may be the one that is off"
    )


def test_causes_have_their_first_places_with_both_figures(tmp_path):
    (told,) = workload_in(tmp_path, verdict(DIFFERS))["backends"]
    columns = (
        "epoch",
        "step",
        "stage",
        "subject",
        "relative_deviation",
        "rounding_bound",
        "is_off",
    )
    hidden = dict(zip(columns, (1, 2, "forward", "hidden", 1e-4, 1e-6, True), strict=True))
    state = dict(zip(columns, (1, 1, "update", "optimizer/velocity", 0.5, 1e-6, True), strict=True))
    assert told["causes"] == [
        {
            "what": "the output of layer hidden",
            "reason": None,
            "places_off": 1,
            "first_places": [hidden],
        },
        {
            "what": "the optimizer's velocity",
            "reason": "it is built with other constants",
            "places_off": 1,
            "first_places": [state],
        },
    ]


def test_of_a_cause_with_many_places_the_first_are_written_and_all_counted(tmp_path):
    places = [deviation(step=step, size=1.0) for step in range(1, 401)]
    backend = learner("torch", outcome="differs", causes=(cause("the loss", *places),))
    (told,) = workload_in(tmp_path, verdict(backend))["backends"]
    ((only,),) = (told["causes"],)
    assert only["places_off"] == 400
    assert [each["step"] for each in only["first_places"]] == list(range(1, FIRST_PLACES + 1))


def test_the_largest_deviation_of_each_stage_is_told_whether_off_or_not(tmp_path):
    backend = learner("jax", deviation(FORWARD, "hidden"), STATE_OFF)
    (told,) = workload_in(tmp_path, verdict(backend))["backends"]
    assert [
        (each["stage"], each["relative_deviation"], each["is_off"])
        for each in told["largest_by_stage"]
    ] == [("forward", 1e-8, False), ("update", 0.5, True)]


def test_an_unchecked_backend_has_neither_causes_nor_deviations(tmp_path):
    (told,) = workload_in(tmp_path, verdict(UNCHECKED))["backends"]
    assert (told["causes"], told["largest_by_stage"]) == ([], [])


def test_the_losses_of_all_stand_side_by_side_at_each_place(tmp_path):
    told = workload_in(tmp_path, verdict(AGREES, EXPLAINED, DIFFERS))
    columns = ("epoch", "step", "reference", "rounding_bound", "jax", "tensorflow", "torch")
    assert told["running_losses"] == [
        dict(zip(columns, (1, 1, 0.5, 1e-6, 0.5, 0.51, 0.52), strict=True)),
        dict(zip(columns, (1, 2, 0.25, 1e-6, 0.25, 0.26, 0.27), strict=True)),
    ]
    assert told["epoch_losses"] == [
        dict(zip(columns, (1, 0, 0.25, 1e-6, 0.25, 0.26, 0.27), strict=True))
    ]


def test_losses_are_matched_by_place_and_not_by_order(tmp_path):
    backwards = learner("jax", losses=running_losses(0.5, 0.25)[::-1])
    told = workload_in(tmp_path, verdict(backwards))
    assert [each["jax"] for each in told["running_losses"]] == [0.5, 0.25]


def test_where_a_backend_has_no_loss_there_is_a_null(tmp_path):
    short = learner("jax", losses=running_losses(0.5)[:1])
    told = workload_in(tmp_path, verdict(short, EXPLAINED, UNCHECKED))
    assert [each["jax"] for each in told["running_losses"]] == [0.5, None]
    assert [each["jax"] for each in told["epoch_losses"]] == [None]
    assert [each["torch"] for each in told["running_losses"]] == [None, None]
    assert [each["tensorflow"] for each in told["running_losses"]] == [0.51, 0.26]


def test_a_loss_that_only_a_backend_has_is_left_out(tmp_path):
    longer = learner("jax", losses=running_losses(0.5, 0.25, 0.125))
    assert len(workload_in(tmp_path, verdict(longer))["running_losses"]) == 2


@pytest.mark.parametrize("series", ["running_losses", "epoch_losses"])
def test_without_a_reference_a_series_is_empty(tmp_path, series):
    assert workload_in(tmp_path, verdict(UNCHECKED, source="", losses=()))[series] == []


def test_a_deviation_without_measure_is_null_and_still_off(tmp_path):
    shape_off = deviation(FORWARD, "hidden", size=math.inf, bound=0.0)
    backend = learner(
        "torch", shape_off, outcome="differs", causes=(cause("the output", shape_off),)
    )
    (told,) = workload_in(tmp_path, verdict(backend))["backends"]
    for each in (told["causes"][0]["first_places"][0], told["largest_by_stage"][0]):
        assert (each["relative_deviation"], each["rounding_bound"]) == (None, 0.0)
        assert each["is_off"] is True
    assert "of another shape" in told["sentence"]


@pytest.mark.parametrize("loss", [math.inf, -math.inf, math.nan])
def test_a_loss_that_diverged_is_null(tmp_path, loss):
    backend = learner("torch", losses=running_losses(0.5, loss))
    told = workload_in(tmp_path, verdict(AGREES, backend))
    assert [each["torch"] for each in told["running_losses"]] == [0.5, None]
    assert [each["jax"] for each in told["running_losses"]] == [0.5, 0.25]


@pytest.mark.parametrize("number", [math.inf, math.nan])
@pytest.mark.parametrize(
    ("stage", "series"), [(RUNNING_LOSS, "running_losses"), (EPOCH_LOSS, "epoch_losses")]
)
def test_a_reference_that_diverged_is_null(tmp_path, stage, series, number):
    place = deviation(stage).place
    (told,) = workload_in(tmp_path, verdict(AGREES, losses=((place, number, number),)))[series]
    assert (told["reference"], told["rounding_bound"]) == (None, None)


def test_saving_again_replaces_the_file(tmp_path):
    saved(tmp_path, verdict(AGREES), verdict(DIFFERS))
    assert len(saved(tmp_path, verdict(AGREES))["workloads"]) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["parity.json"]


def test_a_file_that_cannot_be_written_is_an_error_of_its_own(tmp_path):
    (tmp_path / "taken").write_text("a file, where a folder should be")
    with pytest.raises(ResultsUnwritable):
        save([verdict(AGREES)], {}, SETTINGS, tmp_path / "taken" / "parity.json")


def test_every_deviation_of_a_loop_is_kept(tmp_path):
    near = deviation(EPOCH_METRIC, "accuracy", epoch=2, step=0)
    missing = deviation(EPOCH_METRIC, "recall", epoch=2, step=0, size=math.inf)
    differs = loop_verdict("jax", "batch", missing, near, outcome="differs")
    refused = loop_verdict(outcome="unchecked", failure=REFUSED, unsupported=True)
    file = tmp_path / "parity.json"
    save_loop_verdicts({"net": [differs, refused]}, {"jax": ENVIRONMENT}, SETTINGS, file)
    document = json.loads(file.read_text(), parse_constant=refuse)
    assert document["settings"] == SETTINGS
    (workload,) = document["workloads"]
    first, second = workload["loops"]
    assert first["sentence"] == sentence_of_loop(differs)
    found = [(each["subject"], each["relative_deviation"]) for each in first["deviations"]]
    assert found == [("recall", None), ("accuracy", near.deviation)]
    assert (second["loop"], second["unsupported"], second["failure"]) == ("fused", True, REFUSED)
