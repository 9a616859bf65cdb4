"""The loops train as `Model.fit` does, on every backend: the same losses, metrics and state."""

from typing import Any

import pytest
from trainings import CASES

#: How far rounding may take two trainings apart, that do the same in another order.
TOLERANCES = {"float64": 1e-9, "float32": 1e-3}

#: The same where Keras isn't in both: in float64, too, it rounds some means and constants to
#: float32.
TOLERANCES_WITHOUT_KERAS = {"float64": 1e-5, "float32": 1e-3}

#: What the driver decides, or Keras's formulas alone, and not the steps of a backend: seen on one.
ALIKE_ON_ALL = {
    "a_later_first_epoch",
    "adadelta",
    "adafactor",
    "adamax",
    "amsgrad",
    "batch_size_by_default",
    "class_weights",
    "clipvalue",
    "data_in_half_precision",
    "ftrl",
    "integers_and_truth_values",
    "lamb",
    "learning_rate_by_epoch",
    "learning_rate_reduced",
    "no_epoch",
    "one_batch",
    "run_eagerly",
    "stopped_early_with_the_best_weights",
    "validated_with_averaged_weights",
}

#: What Keras decides alike for JAX and TensorFlow: torch has optimizers of its own.
ALIKE_ON_TENSORFLOW = {
    "a_call_for_every_batch",
    "a_model_in_a_model",
    "adagrad",
    "adamw_with_some_weights_not_decayed",
    "channels_dropped",
    "clipnorm",
    "cosine_decay_with_warm_up",
    "dropout_after_each_layer",
    "embedding_and_gru",
    "embedding_and_gru_with_dropout_of_whole_channels",
    "exponential_decay",
    "global_clipnorm",
    "gradients_of_four_steps_together",
    "huber_with_its_sum",
    "inputs_and_outputs_listed_with_one_weight",
    "l2_of_the_outputs",
    "l2_of_the_weights",
    "layer_normalization",
    "lion",
    "momentum",
    "moving_average_put_in_every_five_steps",
    "nadam",
    "nesterov",
    "no_targets",
    "not_built_before",
    "outputs_weighted_by_name",
    "own_metric_of_the_model",
    "rmsprop_centered_with_momentum",
    "root_and_mean_of_errors",
    "several_metrics",
}

#: By backend: the cases that another one has shown already.
SHOWN_ELSEWHERE: dict[str, set[str]] = {
    "jax": set(),
    "tensorflow": ALIKE_ON_ALL | ALIKE_ON_TENSORFLOW,
    "torch": ALIKE_ON_ALL,
}

#: What a loop over batches could get wrong; each step is Keras's own. Where a backend has a part in
#: it, the first three show it.
BY_BATCHES = (
    "adam_with_a_short_last_batch",
    "sample_weights",
    "several_metrics",
    "fewer_examples_than_a_batch",
    "batch_normalization",
    "dropout_seeded",
    "learning_rate_by_epoch",
    "own_compute_loss",
)

#: What draws from the generator of the backend, which `fit` draws from beside the training as well.
DRAWN_BESIDE = "dropout_unseeded"

#: What needs none of Keras's parts.
BARE = ("plain_sgd", "adam_with_a_short_last_batch", "momentum")

#: What the bare loop isn't written for, and what its refusal names.
BARE_REFUSES = {
    "clipnorm": "clipnorm=0.1",
    "cosine_decay_with_warm_up": "schedule",
    "sample_weights": "weights of its losses",
    "several_metrics": "not sigmoid",
    "l2_of_the_weights": "kernel_regularizer",
    "batch_normalization": "BatchNormalization",
    "moving_average_of_weights": "use_ema=True",
    "a_frozen_layer": "frozen",
    "own_train_step": "no keras.Sequential",
    "run_eagerly": "run_eagerly=True",
    "validation_data": "Dropout",
}

#: The trainings of a plain stack of Dense layers, whose parts the bare loop writes anew, and the
#: others take from Keras.
STACKS = [name for name in CASES if name.startswith("stack_")]
#: How people train. Other loops are trained in single precision by the tests of their parity.
STACKS_IN_FLOAT32 = ("stack_by_adam",)


@pytest.mark.parametrize(
    ("backend", "case"),
    [
        (backend, case)
        for case in CASES
        for backend in CASES[case].backends
        if case not in SHOWN_ELSEWHERE[backend] and case not in STACKS
    ],
)
def test_fused_trains_as_fit_does(ask, backend: str, case: str):
    tolerance = TOLERANCES["float32" if CASES[case].float32 else "float64"]
    check(ask(backend, "float64", "fused", case), CASES[case].refused, tolerance)


@pytest.mark.parametrize(
    ("backend", "case"),
    [
        *(("jax", case) for case in BY_BATCHES),
        *((backend, case) for backend in ("tensorflow", "torch") for case in BY_BATCHES[:3]),
        *((backend, DRAWN_BESIDE) for backend in ("jax", "tensorflow", "torch")),
    ],
)
def test_train_on_batch_trains_as_fit_does(ask, backend: str, case: str):
    check(ask(backend, "float64", "batch", case), CASES[case].refused, TOLERANCES["float64"])


@pytest.mark.parametrize(
    ("case", "floatx"),
    [*((case, "float64") for case in STACKS), *((case, "float32") for case in STACKS_IN_FLOAT32)],
)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_bare_trains_stacks_of_dense_layers_as_fit_does(ask, backend: str, case: str, floatx: str):
    check(ask(backend, floatx, "bare", case), None, TOLERANCES_WITHOUT_KERAS[floatx])


@pytest.mark.parametrize("case", BARE)
def test_bare_trains_as_fit_does(ask, case: str):
    check(ask("jax", "float64", "bare", case), None, TOLERANCES_WITHOUT_KERAS["float64"])


@pytest.mark.parametrize("case", BARE_REFUSES)
def test_bare_refuses_by_name_what_it_is_not_written_for(ask, case: str):
    assert BARE_REFUSES[case] in ask("jax", "float64", "bare", case)["refusal"]


def check(answer: dict[str, Any], refused: str | None, tolerance: float) -> None:
    if refused is not None:
        assert refused in answer["refusal"]
        assert answer["untouched"]
    else:
        assert "deviations" in answer, answer.get("error") or answer
        # Each, for NaN is never the largest.
        assert all(each <= tolerance for each in answer["deviations"].values()), answer[
            "deviations"
        ]
