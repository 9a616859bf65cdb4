"""Loops against fit where a training is chaotic: each step is compared, so a fault is still found.

On JAX, which starts fastest.
"""

import pytest
from loop_checks import verdicts_on_jax

#: What is asked once for all of them is asked in one process.
pytestmark = pytest.mark.xdist_group("chaotic loops")

#: Normalizations over four examples of raw counts, and what takes the place of the loops.
WORKLOAD = """
import keras_bench.loops.named
import keras, numpy as np
from keras import layers

FIT = {"batch_size": 4, "epochs": 2}

def build():
    blocks = [
        [layers.Dense(24, use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0)]
        for _ in range(12)
    ]
    model = keras.Sequential([
        keras.Input((10,)),
        *(layer for block in blocks for layer in block),
        layers.Dense(3, name="last"),
    ])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    return model

def data(seed):
    random = np.random.default_rng(seed)
    x = random.integers(0, 201, size=(24, 10)).astype("float32")
    return x, random.integers(0, 3, size=24)

class Rate(keras.callbacks.Callback):
    def __init__(self, begin=None, end=None):
        super().__init__()
        self.begin, self.end = begin, end

    def on_epoch_begin(self, epoch, logs=None):
        if self.begin is not None:
            self.model.optimizer.learning_rate.assign(self.begin)

    def on_epoch_end(self, epoch, logs=None):
        if self.end is not None:
            self.model.optimizer.learning_rate.assign(self.end)

own = keras_bench.loops.named.training_by

def training_by(loop, model):
    if loop in globals():
        return lambda *args, **settings: globals()[loop](model, *args, **settings)
    return own(loop, model)

keras_bench.loops.named.training_by = training_by

def clean(model, x, y, **settings):
    return model.fit(x, y, **settings)

def a_layer_is_off(model, x, y, **settings):
    layer = model.get_layer("last")
    call = type(layer).call
    layer.call = lambda inputs, training=None: 1.0001 * call(layer, inputs)
    return model.fit(x, y, **settings)

def a_step_is_left_out(model, x, y, **settings):
    if len(x) > settings["batch_size"]:
        x, y = (np.delete(each, np.s_[8:12], axis=0) for each in (x, y))
    return model.fit(x, y, **settings)

def another_learning_rate(model, x, y, **settings):
    # Between what others do at an epoch's begin and at its end: its variable shows nothing.
    rate = float(model.optimizer.learning_rate)
    settings["callbacks"] = [Rate(end=rate), *settings["callbacks"], Rate(begin=1.01 * rate)]
    return model.fit(x, y, **settings)
"""

#: What each fault shows in, among other places.
FAULTS = {
    "a_layer_is_off": "loss",
    "a_step_is_left_out": "optimizer/iteration",
    "another_learning_rate": "last/bias",
}


@pytest.fixture(scope="module")
def found(warm_pythons, tmp_path_factory):
    """What comes of every planted loop, in one worker."""
    file = tmp_path_factory.mktemp("loops") / "mine.py"
    file.write_text(WORKLOAD)
    return verdicts_on_jax(warm_pythons["jax"], file, *FAULTS, "clean", "fused", "batch")


@pytest.mark.parametrize("loop", ["clean", "fused", "batch"])
def test_a_loop_that_trains_the_same_agrees_and_how_far_is_told(found, loop: str):
    assert found[loop].outcome == "agrees"
    assert found[loop].reach.startswith("compared over the first 3 steps, each from")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(found, fault: str):
    assert found[fault].outcome == "differs"
    off = {each.place.subject for each in found[fault].deviations if each.is_off}
    assert FAULTS[fault] in off
    assert "optimizer/learning_rate" not in off
