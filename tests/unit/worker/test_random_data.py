"""What is made up for a loss; what is made up for models is trained on in test_own_models.py."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_bench.worker.random_data import LEAST_EXAMPLES, make_random_data, random_targets


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


@pytest.mark.parametrize("fit", [{}, {"validation_split": 0.3}, {"batch_size": 7}])
def test_what_is_trained_on_are_whole_batches_of_the_least_examples(fit):
    data = made_up(fit)
    size = fit.get("batch_size", 32)
    assert data.examples % size == 0
    assert LEAST_EXAMPLES <= data.examples < LEAST_EXAMPLES + size
    assert len(data.x) - data.examples == pytest.approx(
        fit.get("validation_split", 0.0) * len(data.x), abs=1
    )


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_with_steps_it_is_as_many_as_they_take(share: float):
    fit = {"batch_size": 10, "steps_per_epoch": 3, "validation_split": share}
    assert (made_up(fit).examples, len(made_up(fit).x)) == (30, 30 / (1 - share))


def made_up(fit):
    """Return data for a model of one input and without a loss, by a stand-in for Keras."""
    tree = SimpleNamespace(map_structure=lambda function, one: function(one), flatten=lambda x: [x])
    tensor = SimpleNamespace(shape=(None, 2), dtype="float32")
    model = SimpleNamespace(inputs=[tensor], layers=[], loss=None, _flatten_layers=list)
    return make_random_data(SimpleNamespace(tree=tree), model, fit, 0)
