"""What data() may return, and how many examples an epoch of it has; no framework is needed."""

import itertools
from functools import partial

import numpy as np
import pytest

from keras_bench.worker.data import MOST_BATCHES, is_source, make_data
from keras_bench.worker.protocol import Refusal
from keras_bench.worker.workload import Parts


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

    def __getitem__(self, index):
        """As one that slices its arrays, it has an empty batch after the last one."""
        size = self.sizes[index] if index < len(self.sizes) else 0
        return array(size), array(size, 1)


class Own(PyDataset):
    __module__ = "mine"


class Empty(Own):
    sizes = ()


class Endless(Own):
    num_batches = None


class Broken(Own):
    def __getitem__(self, index):
        raise OSError("the picture is gone")


class DatasetV2:
    """As many batches of 12 as it tells by its cardinality: -1 is without end, -2 is unknown."""

    __module__ = "tensorflow.python.data"

    def __init__(self, told, batches):
        self.told, self.batches = told, batches

    def cardinality(self):
        return self.told

    def __iter__(self):
        return itertools.repeat((array(12), array(12, 1)), *self.batches)


class DataLoader:
    """Of torch, over what never ends and doesn't tell."""

    __module__ = "torch.utils.data"

    def __iter__(self):
        return itertools.repeat((array(12), array(12, 1)))


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


def test_the_weights_of_examples_may_stand_in_fit():
    weights = np.ones(20)
    data = made((array(20), array(20, 1)), {"sample_weight": weights})
    assert data.fit_arguments["sample_weight"] is weights


def test_a_model_may_have_no_targets():
    assert set(made((array(20), None)).fit_arguments) == {"x"}


@pytest.mark.parametrize(
    ("fit", "examples"),
    [
        ({"validation_split": 0.25}, 15),
        ({"validation_split": 0.25, "validation_data": (array(5), array(5, 1))}, 20),
        ({"steps_per_epoch": 3}, 20),
        ({"steps_per_epoch": 1, "batch_size": 4}, 4),
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
    assert made(DataLoader(), {"steps_per_epoch": 3}).examples == 36
    assert made(DatasetV2(-1, []), {"steps_per_epoch": 3}).examples == 36
    assert made(DatasetV2(-2, [4])).examples == made(DatasetV2(4, [4])).examples == 48


def test_a_source_that_tells_its_length_may_be_long():
    batches = MOST_BATCHES + 1
    assert made(DatasetV2(batches, [batches])).examples == 12 * batches


def test_a_source_is_known_by_the_class_it_comes_from():
    assert is_source(Own())
    assert not is_source(array(3))
    assert not is_source([Own()])


def test_a_batch_size_that_data_itself_takes_is_none_of_fit():
    assert made(Own(), {"batch_size": 12}, batch_size=12).examples == 30


@pytest.mark.parametrize(
    ("found", "fit", "reason"),
    [
        ([1, 2], {}, r"returns a list, and no pair of arrays \(x, y\)"),
        ((array(3),), {}, "returns a tuple, and no pair of arrays"),
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
        (Endless(), {}, r"Endless of data\(\) gives no end"),
        (DatasetV2(-1, []), {}, r"DatasetV2 of data\(\) gives no end"),
        (DatasetV2(-2, []), {}, r"DatasetV2 of data\(\) gives no end"),
        (DataLoader(), {}, r"DataLoader of data\(\) gives no end"),
        (Broken(), {}, r"going through the Broken of data\(\) raises OSError: the picture is gone"),
        (Own(), {"batch_size": 12}, "batch_size is set, and .* a Own, which makes the batches"),
        (
            (array(20), array(20)),
            {"validation_split": 1.5},
            r"validation_split is 1\.5 instead of a number from 0 to below 1",
        ),
        ((array(20), array(20)), {"validation_split": "half"}, "validation_split is 'half'"),
        (
            (array(20), array(20)),
            {"steps_per_epoch": 2, "batch_size": 0},
            "batch_size is 0 instead of a whole number",
        ),
        (
            (array(20), array(20)),
            {"steps_per_epoch": 3, "batch_size": 4},
            "steps_per_epoch=3 doesn't divide the 5 batches of .*, so some epochs are shorter",
        ),
        (
            (array(3), array(3), np.ones(3)),
            {"sample_weight": np.ones(3)},
            r"data\(\) returns sample_weight, and FIT sets it, too",
        ),
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
