"""Epochs of `fit` and fused ones in turn are the training that `fit` does by itself."""

import pytest
from stretches import STRETCHES
from test_same_training import TOLERANCES, check

#: What hangs on how a backend trains, and draws random numbers beside the training.
ON_EVERY_BACKEND = (
    "averages_take_the_place_of_weights_where_fit_does_so",
    "it_ends_early_with_the_best_weights",
    "it_is_one_training_whatever_is_chosen",
)


@pytest.mark.parametrize("case", ["class_weights", "no_epoch", "validated_with_averaged_weights"])
def test_loops_in_turn_train_as_fit_does(ask, case: str):
    check(ask("jax", "float64", "in_turn", case), None, TOLERANCES["float64"])


@pytest.mark.parametrize("name", STRETCHES)
def test_stretches_are_one_training(ask, name: str):
    assert ask("jax", "float64", "stretches", name) == {}


@pytest.mark.parametrize("name", ON_EVERY_BACKEND)
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_stretches_are_one_training_on_other_backends(ask, backend: str, name: str):
    assert ask(backend, "float64", "stretches", name) == {}
