"""What data() may return, and how many examples an epoch of it has; no framework is needed."""

from functools import partial

import numpy as np
import pytest

from bench.worker.data import is_source, make_data
from bench.worker.protocol import Refusal
from bench.worker.workload import Parts


def made(found, fit=None, **arguments):
    """Return what comes of a data() that returns this, or raises it."""

    def data(seed, **_):
        if isinstance(found, Exception):
            raise found
        return found

    return make_data(Parts(lambda: None, partial(data, **arguments), fit or {}), 0)


def array(count, columns=2):
    return np.zeros((count, columns), "float32")


class PyDataset:
    """Batches of 12, 12 and 6, as Keras's class of this name has them."""

    __module__ = "keras.src.trainers"
    sizes: tuple[int, ...] = (12, 12, 6)

    @property
    def num_batches(self):
        return len(self.sizes)

    def __iter__(self):
        return ((array(size), array(size, 1)) for size in self.sizes)


class Own(PyDataset):
    __module__ = "mine"


class Empty(Own):
    sizes = ()


class Endless(Own):
    num_batches = None


class Broken(Own):
    def __iter__(self):
        yield array(12), array(12, 1)
        raise OSError("the picture is gone")


def test_a_pair_of_arrays_is_given_to_fit_as_it_is():
    x, y = array(20), array(20, 1)
    data = made((x, y))
    assert data.fit_arguments == {"x": x, "y": y}
    assert (data.examples, data.is_source, data.random_data) == (20, False, "")


def test_arrays_may_be_in_any_structure_and_weighted():
    x, y = {"left": array(20), "right": [array(20), array(20, 3)]}, (array(20, 1),)
    weights = np.ones(20)
    data = made((x, y, weights))
    assert data.fit_arguments == {"x": x, "y": y, "sample_weight": weights}
    assert data.examples == 20


def test_a_model_may_have_no_targets():
    assert set(made((array(20), None)).fit_arguments) == {"x"}


@pytest.mark.parametrize(
    ("fit", "examples"),
    [
        ({"validation_split": 0.25}, 15),
        ({"validation_split": 0.25, "validation_data": (array(5), array(5, 1))}, 20),
        ({"steps_per_epoch": 3, "batch_size": 4}, 12),
        ({"steps_per_epoch": 9, "batch_size": 4}, 20),
        ({"steps_per_epoch": 3, "batch_size": 4, "validation_split": 0.5}, 10),
    ],
)
def test_the_examples_are_those_that_an_epoch_trains_on(fit, examples: int):
    assert made((array(20), array(20, 1)), fit).examples == examples


def test_a_source_is_counted_as_far_as_an_epoch_goes():
    source = Own()
    assert made(source).examples == 30
    assert made(source).fit_arguments == {"x": source}
    assert made(source, {"steps_per_epoch": 2}).examples == 24
    assert made(Endless(), {"steps_per_epoch": 1}).examples == 12


def test_a_source_is_known_by_the_class_it_comes_from():
    assert is_source(Own())
    assert not is_source(array(3))
    assert not is_source([Own()])


def test_a_batch_size_that_data_itself_takes_is_none_of_fit():
    assert made(Own(), {"batch_size": 12}, batch_size=12).examples == 30


@pytest.mark.parametrize(
    ("found", "fit", "reason"),
    [
        ([1, 2], {}, r"returns a list; it is to return a pair of arrays \(x, y\)"),
        ((array(3),), {}, "it is to return a pair of arrays"),
        ((array(3), "text"), {}, "y as str, no array"),
        (({"a": array(3), "b": 7}, array(3)), {}, r"x\['b'\] as int, no array"),
        (({"a": array(20), "b": array(7)}, array(20)), {}, r"returns 20 x\['a'\] and 7 x\['b'\]"),
        ((array(20), [array(20), array(9)]), {}, r"returns 20 x and 9 y\[1\]"),
        ((array(20), array(20), np.ones(3)), {}, "returns 20 x and 3 sample_weight"),
        ((array(0), array(0)), {}, "returns no examples"),
        (({}, array(3)), {}, "returns no x"),
        ((each for each in [1]), {}, "a generator, which is spent after one epoch"),
        (iter([1]), {}, "a list_iterator, an iterator, which is spent after one epoch"),
        (Empty(), {}, "a Empty of no examples"),
        (Endless(), {}, "an endless Endless, and FIT doesn't set steps_per_epoch"),
        (Broken(), {}, r"going through the Broken of data\(\) raises OSError: the picture is gone"),
        (Own(), {"batch_size": 12}, "FIT sets batch_size, and .* a Own, which makes the batches"),
        (ValueError("no file"), {}, r"data\(0\) raises ValueError: no file"),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused_with_the_reason(found, fit, reason: str):
    with pytest.raises(Refusal, match=reason) as caught:
        made(found, fit)
    assert caught.value.kind == "workload"
    assert "\n" not in str(caught.value)


def test_without_data_there_is_none():
    assert make_data(Parts(lambda: None, None, {}), 0) is None
