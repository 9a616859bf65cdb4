"""Loops against fit in a real environment: planted faults are found, and a loop without is clean.

JAX's, which starts fastest.
"""

from pathlib import Path

import pytest
from loop_checks import verdicts_on_jax

from keras_bench.parity.places import EPOCH_METRIC

#: What is asked once for all of them is asked in one process.
pytestmark = pytest.mark.xdist_group("planted loops")

#: A network with all that a loop may lose, and what takes the place of the loops.
WORKLOAD = """
import keras_bench.loops.named
import keras, numpy as np
from keras import layers

from keras_bench import LoopRefusal

FIT = {"batch_size": 8, "epochs": 20}
EXAMPLES = 163

def build():
    model = keras.Sequential([
        keras.Input((4,)),
        layers.Dense(8, "tanh"),
        layers.BatchNormalization(name="normalization"),
        layers.Dropout(0.3, name="dropout"),
        layers.Dense(2, "softmax"),
    ])
    model.compile(
        keras.optimizers.Adam(0.001),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=[keras.metrics.SparseCategoricalCrossentropy(name="entropy")],
    )
    return model

def data(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(EXAMPLES, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32"), random.uniform(0, 2, EXAMPLES).astype("float32")

class AtEpochs(keras.callbacks.Callback):
    def __init__(self, begin, end=lambda: None):
        super().__init__()
        self.begin, self.end = begin, end

    def on_epoch_begin(self, epoch, logs=None):
        self.begin()

    def on_epoch_end(self, epoch, logs=None):
        self.end()

own = keras_bench.loops.named.training_by

def training_by(loop, model):
    if loop in globals():
        return lambda *args, **settings: globals()[loop](model, *args, **settings)
    return own(loop, model)

keras_bench.loops.named.training_by = training_by

def clean(model, x, y, sample_weight, **settings):
    return model.fit(x, y, sample_weight=sample_weight, **settings)

def skips_the_last_batch(model, x, y, sample_weight, **settings):
    full = len(x) // settings["batch_size"] * settings["batch_size"]
    return model.fit(x[:full], y[:full], sample_weight=sample_weight[:full], **settings)

def keeps_the_metrics(model, x, y, sample_weight, **settings):
    model.reset_metrics()
    model.reset_metrics = lambda: None
    history = model.fit(x, y, sample_weight=sample_weight, **settings)
    del model.reset_metrics
    return history

def another_learning_rate(model, x, y, sample_weight, **settings):
    # As a number of its own: the optimizer's variable shows nothing.
    rate = model.optimizer.learning_rate
    own, other = float(rate), float(rate) * 1.001
    settings["callbacks"].insert(0, AtEpochs(lambda: rate.assign(other), lambda: rate.assign(own)))
    return model.fit(x, y, sample_weight=sample_weight, **settings)

def keeps_the_seed(model, x, y, sample_weight, **settings):
    state = model.get_layer("dropout").seed_generator.state
    start = np.array(state)
    settings["callbacks"].append(AtEpochs(lambda: state.assign(start)))
    return model.fit(x, y, sample_weight=sample_weight, **settings)

def keeps_the_seed_of_the_epoch(model, x, y, sample_weight, **settings):
    # What it leaves is right, but all epochs drop the same.
    state = model.get_layer("dropout").seed_generator.state
    start = np.array(state)
    settings["callbacks"].append(AtEpochs(lambda: state.assign(start)))
    history = model.fit(x, y, sample_weight=sample_weight, **settings)
    steps = np.array(state)[1] - start[1]
    state.assign(start + np.array([0, steps * settings["epochs"]], start.dtype))
    return history

def drops_the_weights(model, x, y, sample_weight, **settings):
    return model.fit(x, y, **settings)

def another_momentum(model, x, y, sample_weight, **settings):
    layer = model.get_layer("normalization")
    layer.momentum = 0.98
    history = model.fit(x, y, sample_weight=sample_weight, **settings)
    layer.momentum = 0.99
    return history

def another_order(model, x, y, sample_weight, **settings):
    return model.fit(x, y, sample_weight=sample_weight, **settings | {"shuffle": True})

def refuses(model, x, y, sample_weight, **settings):
    raise LoopRefusal("nothing is trained on Mondays")

def raises(model, x, y, sample_weight, **settings):
    raise IndexError("out of batches")

def tells(model, x, y, sample_weight, **settings):
    steps = f"{model.steps_per_execution} steps by {model.train_function}"
    raise IndexError(f"{len(x)} examples, {steps}")
"""

#: What each fault shows in, among other places.
FAULTS = {
    "skips_the_last_batch": "optimizer/iteration",
    "keeps_the_metrics": "loss",
    "another_learning_rate": "dense_1/bias",
    "keeps_the_seed": "seed_generator/seed_generator_state",
    "keeps_the_seed_of_the_epoch": "dense/kernel",
    "drops_the_weights": "entropy",
    "another_momentum": "normalization/moving_variance",
    "another_order": "loss",
}


def verdicts(warm_pythons, folder: Path, text: str, *loops: str, **settings):
    """Compare loops with fit on a workload of this text; return what came of each, by its name."""
    file = folder / "mine.py"
    file.write_text(text)
    return verdicts_on_jax(warm_pythons["jax"], file, *loops, **settings)


@pytest.fixture(scope="module")
def found(warm_pythons, tmp_path_factory):
    """What comes of every planted loop, in one worker."""
    others = ("fit:4", "tells", "refuses", "raises", "clean")
    return verdicts(warm_pythons, tmp_path_factory.mktemp("loops"), WORKLOAD, *FAULTS, *others)


def test_a_loop_that_trains_the_same_agrees(found):
    clean = found["clean"]
    assert clean.outcome == "agrees"
    subjects = {each.place.subject for each in clean.deviations}
    assert {"loss", "accuracy", "entropy", "normalization/moving_mean"} < subjects
    epochs = {each.place.epoch for each in clean.deviations if each.place.stage == EPOCH_METRIC}
    assert epochs == {1, 2, 3}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(found, fault: str):
    assert found[fault].outcome == "differs"
    off = {each.place.subject for each in found[fault].deviations if each.is_off}
    assert FAULTS[fault] in off
    # Another learning rate must show in what it does.
    assert "optimizer/learning_rate" not in off


def test_each_loop_has_steps_of_its_own(found):
    assert found["fit:4"].outcome == "agrees"
    # Keras would go on with the function that it made for four.
    assert "1 steps by None" in found["tells"].failure


def test_of_much_data_a_part_is_trained_with_the_last_batch_shorter(found):
    assert "IndexError: 99 examples" in found["tells"].failure


def test_a_loop_that_refuses_is_unsupported(found):
    refused = found["refuses"]
    assert (refused.outcome, refused.unsupported) == ("unchecked", True)
    assert refused.failure == (
        "not by refuses on jax: nothing is trained on Mondays; train it by fit"
    )


def test_a_loop_that_raises_is_unchecked(found):
    raised = found["raises"]
    assert (raised.outcome, raised.unsupported) == ("unchecked", False)
    assert "by raises, training raises IndexError: out of batches" in raised.failure
    assert "IndexError" in raised.traceback


SOURCE = """
class Source(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((4, 4), "float32"), np.zeros((4,), "int32")

FIT = {"epochs": 1}

def data(seed):
    return Source()
"""


@pytest.mark.parametrize(
    ("text", "exit_code", "reason"),
    [
        (
            WORKLOAD + SOURCE,
            0,
            "a loop is compared with fit on arrays, and data() returns a Source",
        ),
        (WORKLOAD.replace("Adam(0.001)", "SGD(1e30)").replace("tanh", "linear"), 7, "no number"),
        (WORKLOAD.replace("Dense(2, ", "Dense('two', "), 3, "build() raises"),
    ],
    ids=["a source", "a loss that diverges", "a workload that breaks"],
)
def test_where_nothing_can_be_compared_all_loops_are_unchecked(
    warm_pythons, tmp_path: Path, text: str, exit_code: int, reason: str
):
    for each in verdicts(warm_pythons, tmp_path, text, "clean", "fit:4").values():
        assert (each.outcome, each.exit_code) == ("unchecked", exit_code)
        assert reason in each.failure
