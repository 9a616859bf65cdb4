"""What a workload gives `Model.fit`, its callbacks above all, in a training that is timed."""

from pathlib import Path

import pytest

from keras_bench.errors import LossDiverged, Unsupported, WorkloadError

WORKLOAD = '''
import keras, numpy as np, time
from keras.callbacks import Callback, EarlyStopping, LearningRateScheduler, ModelCheckpoint
from pathlib import Path

HERE = Path(__file__).parent


def build(rate=0.01):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def data(seed):
    x = np.random.default_rng(seed).normal(size=(20, 2)).astype("float32")
    return x, x[:, :1]


class Sleep(Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.05)


class Limit(Callback):
    """Ends the training within its second epoch, or at the end of that."""

    def __init__(self, within):
        super().__init__()
        self.epoch = 0
        setattr(self, "on_train_batch_end" if within else "on_epoch_end", self.stop)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def stop(self, number, logs=None):
        if self.epoch == 1:
            self.model.stop_training = True


FIT = {"batch_size": 5, "epochs": 4}
'''


def workload(fit: str) -> str:
    """Return a workload whose FIT holds this, too."""
    return f"{WORKLOAD}\n\ndef FIT():\n    return {{'batch_size': 5, 'epochs': 4, {fit}}}"


def test_callbacks_are_part_of_an_epoch(measure):
    sample = measure(workload("'callbacks': [Sleep()]"))
    assert len(sample.epoch_seconds) == 3
    assert min(sample.epoch_seconds) >= 0.05


def test_a_dict_may_hold_callbacks_too(measure):
    sample = measure(WORKLOAD + "\nFIT['callbacks'] = Sleep()")
    assert min(sample.epoch_seconds) >= 0.05


def test_as_many_epochs_are_trained_as_are_needed_whatever_a_callback_ends(measure):
    ended = workload("'callbacks': [Limit(within=False)]")
    assert len(measure(ended, epochs=7).losses) == 7


def test_a_schedule_hears_of_its_own_epochs_alone(measure):
    rates = "'callbacks': LearningRateScheduler([0.1, 0.01, 0.1, 0.01].__getitem__)"
    assert len(measure(workload(rates), epochs=7).losses) == 7


def test_a_training_that_ends_within_an_epoch_is_refused(measure):
    text = workload("'callbacks': [Sleep(), Limit(within=True)]")
    reason = r"mine\.py: a callback of FIT \(Sleep, Limit\) ends the training within epoch 2"
    with pytest.raises(WorkloadError, match=reason):
        measure(text)


def test_a_loss_that_ends_a_training_within_an_epoch_is_called_by_its_name(measure):
    text = workload("'callbacks': [keras.callbacks.TerminateOnNaN()]")
    with pytest.raises(LossDiverged, match=r"the loss became (nan|inf) in epoch"):
        measure(text.replace("rate=0.01", "rate=1e30"))


def test_a_loop_calls_back_at_epochs_and_refuses_what_needs_batches(measure):
    ended = workload("'callbacks': [Limit(within=False), EarlyStopping('loss')]")
    assert len(measure(ended, loop="batch", epochs=4).losses) == 4
    within = workload("'callbacks': [Limit(within=True)]")
    with pytest.raises(Unsupported, match="not by batch on jax: the callback Limit: its on_train_"):
        measure(within, loop="batch")


EVERYTHING = """
    "verbose": 2, "initial_epoch": 3, "epochs": 6, "batch_size": 5, "shuffle": False,
    "validation_data": data(1), "validation_freq": 2, "validation_steps": 1,
    "validation_batch_size": 7, "class_weight": {0: 1.0, 1: 2.0}
"""


def test_all_that_fit_takes_is_taken(measure):
    sample = measure(f"{WORKLOAD}\n\ndef FIT():\n    return {{{EVERYTHING}}}")
    assert (len(sample.losses), sample.examples) == (3, 20)
    assert len(measure(f"{WORKLOAD}\nFIT = {{{EVERYTHING}}}", epochs=5).losses) == 5


def test_examples_are_weighted_and_held_back_as_fit_says(measure):
    text = workload("'sample_weight': np.ones(20), 'validation_split': 0.5, 'steps_per_epoch': 1")
    assert measure(text).examples == 5
    nothing = text.replace("np.ones", "np.zeros")
    assert measure(nothing).losses == (0.0,) * 3


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_callbacks_at_batches_are_told_of_where_they_hold_the_training_up(
    train_in_turn, tmp_path: Path, backend: str
):
    file = tmp_path / "mine.py"
    file.write_text(
        f"{WORKLOAD}\n\nbuild_waiting = build_ended = build\n"
        "FIT_WAITING = FIT | {'callbacks': [Sleep(), ModelCheckpoint(str(HERE / 'm.keras'))]}\n"
        "FIT_ENDED = FIT | {'callbacks': [Limit(within=False)]}\n"
    )
    waiting, ended = train_in_turn(backend, [(file, "build_waiting"), (file, "build_ended")])
    # TensorFlow waits for every batch in any case.
    expected = [] if backend == "tensorflow" else ["ModelCheckpoint"]
    assert (waiting["waiting_callbacks"], ended["waiting_callbacks"]) == (expected, [])
    assert (waiting["ending_callback"], ended["ending_callback"]) == (None, ["Limit", 2])
    assert (waiting["fit_epochs"], ended["fit_epochs"]) == (4, 4)
