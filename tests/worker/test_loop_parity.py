"""Loops against fit in a real environment: planted faults are found, and a loop without is clean.

JAX's, which starts fastest.
"""

from pathlib import Path

import pytest
from builders import workload_in

from bench.measure.loop_parity import check_loops
from bench.measure.parity import Learner, ParitySettings
from bench.measure.process import launcher
from bench.parity.places import EPOCH_METRIC

pytestmark = pytest.mark.frameworks

#: A network with all that a loop may lose; what stands below takes the place of the loop "fused".
WORKLOAD = """
import bench.loops.named
import keras, numpy as np
from keras import layers

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

own = bench.loops.named.training_by

def training_by(loop, model):
    if loop != "fused":
        return own(loop, model)
    return lambda *args, **settings: planted(model, *args, **settings)

bench.loops.named.training_by = training_by

def planted(model, x, y, sample_weight, **settings):
"""

CLEAN = """
    return model.fit(x, y, sample_weight=sample_weight, **settings)
"""

SKIPS_THE_LAST_BATCH = """
    full = len(x) // settings["batch_size"] * settings["batch_size"]
    return model.fit(x[:full], y[:full], sample_weight=sample_weight[:full], **settings)
"""

KEEPS_THE_METRICS = """
    model.reset_metrics()
    model.reset_metrics = lambda: None
    history = model.fit(x, y, sample_weight=sample_weight, **settings)
    del model.reset_metrics
    return history
"""

ANOTHER_LEARNING_RATE = """
    # As a number of its own: the optimizer's variable shows nothing.
    rate = model.optimizer.learning_rate
    own, other = float(rate), float(rate) * 1.001
    settings["callbacks"].insert(0, AtEpochs(lambda: rate.assign(other), lambda: rate.assign(own)))
    return model.fit(x, y, sample_weight=sample_weight, **settings)
"""

KEEPS_THE_SEED = """
    state = model.get_layer("dropout").seed_generator.state
    start = np.array(state)
    settings["callbacks"].append(AtEpochs(lambda: state.assign(start)))
    return model.fit(x, y, sample_weight=sample_weight, **settings)
"""

KEEPS_THE_SEED_OF_THE_EPOCH = """
    # What it leaves is right, but all epochs drop the same.
    state = model.get_layer("dropout").seed_generator.state
    start = np.array(state)
    settings["callbacks"].append(AtEpochs(lambda: state.assign(start)))
    history = model.fit(x, y, sample_weight=sample_weight, **settings)
    steps = np.array(state)[1] - start[1]
    state.assign(start + np.array([0, steps * settings["epochs"]], start.dtype))
    return history
"""

DROPS_THE_WEIGHTS = """
    return model.fit(x, y, **settings)
"""

ANOTHER_MOMENTUM = """
    layer = model.get_layer("normalization")
    layer.momentum = 0.98
    history = model.fit(x, y, sample_weight=sample_weight, **settings)
    layer.momentum = 0.99
    return history
"""

ANOTHER_ORDER = """
    return model.fit(x, y, sample_weight=sample_weight, **settings | {"shuffle": True})
"""

REFUSES = """
    from bench.loops import LoopRefusal

    raise LoopRefusal("nothing is trained on Mondays")
"""

RAISES = """
    raise IndexError("out of batches")
"""


@pytest.fixture
def check(pythons, tmp_path: Path):
    """Compare loops with fit on JAX; return what came of each."""

    def run(text: str, *loops: str, **settings):
        file = tmp_path / "mine.py"
        file.write_text(text)
        learners = {"jax": Learner("jax", pythons["jax"], workload_in(file))}
        with launcher(timeout_seconds=120.0) as workers:
            found = check_loops(learners, {"jax": loops}, ParitySettings(**settings), workers)
        return [found["jax", loop] for loop in loops]

    return run


@pytest.mark.parametrize("seed", range(3))
def test_a_loop_that_trains_the_same_agrees(check, seed: int):
    (found,) = check(WORKLOAD + CLEAN, "fused", seed=seed)
    assert found.outcome == "agrees"
    subjects = {each.place.subject for each in found.deviations}
    assert {"loss", "accuracy", "entropy", "normalization/moving_mean"} < subjects
    assert any("seed_generator" in subject for subject in subjects)
    epochs = {each.place.epoch for each in found.deviations if each.place.stage == EPOCH_METRIC}
    assert epochs == {1, 2, 3}


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (SKIPS_THE_LAST_BATCH, "optimizer/iteration"),
        (KEEPS_THE_METRICS, "loss"),
        (ANOTHER_LEARNING_RATE, "dense_1/bias"),
        (KEEPS_THE_SEED, "seed_generator/seed_generator_state"),
        (KEEPS_THE_SEED_OF_THE_EPOCH, "dense/kernel"),
        (DROPS_THE_WEIGHTS, "entropy"),
        (ANOTHER_MOMENTUM, "normalization/moving_variance"),
        (ANOTHER_ORDER, "loss"),
    ],
    ids=[
        "last batch", "metrics", "learning rate", "seed", "seed of the epoch", "sample weights",
        "momentum", "order",
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(check, fault: str, named: str):
    (found,) = check(WORKLOAD + fault, "fused")
    assert found.outcome == "differs"
    assert named in {each.place.subject for each in found.deviations if each.is_off}
    if fault == ANOTHER_LEARNING_RATE:
        assert not any(
            each.is_off for each in found.deviations if "learning_rate" in each.place.subject
        )


def test_each_loop_has_steps_of_its_own(check):
    # Keras would go on with the function that it made for another number of steps.
    seen_steps = """
    raise IndexError(f"{model.steps_per_execution} steps, {model.train_function}")
"""
    several, planted = check(WORKLOAD + seen_steps, "fit:4", "fused")
    assert several.outcome == "agrees"
    assert "1 steps, None" in planted.failure


def test_a_loop_that_refuses_is_unsupported_and_one_that_raises_unchecked(check):
    refused, several = check(WORKLOAD + REFUSES, "fused", "fit:4")
    assert (refused.outcome, refused.unsupported) == ("unchecked", True)
    assert refused.failure == (
        "not by fused on jax: nothing is trained on Mondays; train it by fit"
    )
    assert several.outcome == "agrees"
    raised, several = check(WORKLOAD + RAISES, "fused", "fit:4")
    assert (raised.outcome, raised.unsupported) == ("unchecked", False)
    assert "by fused, training raises IndexError: out of batches" in raised.failure
    assert "IndexError" in raised.traceback
    assert several.outcome == "agrees"


def test_of_much_data_a_part_is_trained_with_the_last_batch_shorter(check):
    seen = """
    raise IndexError(f"{len(x)} examples")
"""
    (few,) = check(WORKLOAD.replace("= 163", "= 27") + seen, "fused")
    assert "IndexError: 27 examples" in few.failure
    (many,) = check(WORKLOAD.replace("= 163", "= 8003") + seen, "fused")
    assert "IndexError: 99 examples" in many.failure


def test_a_source_is_unchecked(check):
    source = """
class Source(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((4, 4), "float32"), np.zeros((4,), "int32")

FIT = {"epochs": 1}

def data(seed):
    return Source()
"""
    (found,) = check(WORKLOAD + CLEAN + source, "fused")
    assert found.outcome == "unchecked"
    assert "a loop is compared with fit on arrays, and data() returns a Source" in found.failure


def test_a_loss_that_diverges_is_unchecked(check):
    text = WORKLOAD.replace("Adam(0.001)", "SGD(1e30)").replace('"tanh"', '"linear"')
    (found,) = check(text + CLEAN, "fused")
    assert (found.outcome, found.exit_code) == ("unchecked", 7)


def test_a_workload_that_breaks_leaves_all_loops_unchecked(check):
    text = WORKLOAD.replace("Dense(2, ", "Dense('two', ")
    found = check(text + CLEAN, "fused", "fit:4")
    assert [(each.outcome, each.exit_code) for each in found] == [("unchecked", 3)] * 2
