"""What the arguments of `Model.fit` can be, told without Keras."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bench.fit_values import WHOLE_NUMBERS, fault_of

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 32),
        ("batch_size", np.int64(32)),
        ("batch_size", None),
        ("initial_epoch", 0),
        ("steps_per_epoch", None),
        ("validation_freq", [1, 3]),
        ("shuffle", False),
        ("validation_split", 0.25),
        ("validation_split", 0),
        ("units", -3),
        ("verbose", "auto"),
    ],
)
def test_what_fit_takes_is_no_fault(name, value):
    assert fault_of(name, value) == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("batch_size", 0, "batch_size=0 instead of a whole number from 1 on"),
        ("batch_size", True, "batch_size=True instead of a whole number from 1 on"),
        ("batch_size", 32.0, "batch_size=32.0 instead of a whole number from 1 on"),
        ("batch_size", "all", "batch_size='all' instead of a whole number from 1 on"),
        pytest.param(
            "batch_size", 10**5000, "batch_size=a number of 16610 bits instead of", id="huge"
        ),
        ("batch_size", "x" * 5000, "batch_size='xxxxxxx"),
        ("steps_per_epoch", -2, "steps_per_epoch=-2 instead of a whole number from 1 on"),
        ("epochs", None, "epochs=None instead of a whole number from 1 on"),
        ("shuffle", "batch", "shuffle='batch' instead of True or False"),
        ("validation_split", 1.0, "validation_split=1.0 instead of a number from 0 on, below 1"),
        ("validation_split", math.nan, "validation_split=nan instead of a number from 0 on"),
    ],
)
def test_what_cannot_be_is_named_with_what_can(name, value, said):
    found = fault_of(name, value)
    assert found.startswith(said)
    assert len(found) < 120


@given(st.sampled_from([*WHOLE_NUMBERS, "shuffle", "validation_split", "units"]), VALUES)
def test_any_value_is_one_or_is_told_in_a_line(name, value):
    assert "\n" not in fault_of(name, value)
