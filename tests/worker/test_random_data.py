"""What is made up for a loss; what is made up for models is trained on in test_own_models.py."""

import numpy as np
import pytest

from bench.worker.random_data import random_targets


class SparseCategoricalCrossentropy:
    """Named as Keras names its losses, as an object."""


def categorical_crossentropy(y, p):
    """Named as Keras names its losses, as a function."""


def targets(loss, *shape):
    return random_targets(loss, shape, np.random.default_rng(0))


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", SparseCategoricalCrossentropy()]
)
def test_a_sparse_loss_gets_class_numbers_below_the_last_size(loss):
    found = targets(loss, 100, 7, 3)
    assert (found.shape, found.dtype.kind) == ((100, 7), "i")
    assert set(np.unique(found)) == {0, 1, 2}


@pytest.mark.parametrize("loss", [categorical_crossentropy, "CategoricalCrossentropy"])
def test_a_categorical_loss_gets_one_class_of_all(loss):
    found = targets(loss, 100, 3)
    assert found.shape == (100, 3)
    assert set(np.unique(found)) == {0, 1}
    assert (found.sum(axis=1) == 1).all()
    assert len(np.unique(found, axis=0)) == 3


def test_a_binary_loss_gets_noughts_and_ones():
    found = targets("binary_crossentropy", 100, 2)
    assert (found.shape, set(np.unique(found))) == ((100, 2), {0, 1})


@pytest.mark.parametrize("loss", ["mse", lambda y, p: 0, None])
def test_any_other_loss_gets_numbers_around_nought(loss):
    found = targets(loss, 1000, 2)
    assert (found.shape, found.dtype) == ((1000, 2), "float32")
    assert abs(found.mean()) < 0.2
    assert found.std() == pytest.approx(1, abs=0.1)


def test_the_same_seed_makes_up_the_same():
    assert (targets("mse", 5, 2) == targets("mse", 5, 2)).all()
