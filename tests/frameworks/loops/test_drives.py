"""What a loop does beside the training, as `Model.fit` does it, and what it refuses.

The driver is the same on every backend; most is seen on the quickest to compile.
"""

import pytest
from drives import CHECKED, WORDS

#: What hangs on the steps of a backend.
ON_EVERY_BACKEND = (
    "a_training_that_fails_does_not_put_averages_of_nothing_in_the_place_of_weights",
    "a_training_that_is_interrupted_leaves_a_model",
    "another_compilation_is_trained_by",
    "fit_goes_on_where_fused_ended",
    "other_sizes_are_trained_by_the_same_model",
    "other_types_and_places_of_nothing_are_trained_by_the_same_model",
    "tensors_are_taken",
    "the_program_is_kept_with_the_model",
    "values_set_in_between_are_trained_from",
)


@pytest.mark.parametrize("name", CHECKED["check"])
def test_fused_drives_as_fit_does(ask, name: str):
    assert ask("jax", "float64", "check", name) == {}


@pytest.mark.parametrize("name", ON_EVERY_BACKEND)
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_steps_of_other_backends_are_driven_alike(ask, backend: str, name: str):
    assert ask(backend, "float64", "check", name) == {}


@pytest.mark.parametrize("name", CHECKED["refusal"])
def test_fused_refuses(ask, name: str):
    message = ask("jax", "float64", "refusal", name)["refusal"]
    for word in WORDS[name]:
        assert word in message
    # The remedy stands last.
    assert "; " in message
