"""What `fit_fused(..., fused="auto")` must do where `fit` and fused epochs follow each other.

Read by `answering.py` in a framework's environment, like `drives.py`. Which loop trains an epoch is
given here, and hangs on no time.
"""

import contextlib
import io
from collections.abc import Callable
from typing import Any

from comparing import compare
from drives import fresh, losses, recorder, same, taken_up
from trainings import Case, columns, dense

#: By their names: each raises unless what it says holds.
STRETCHES: dict[str, Callable[[Any], None]] = {}

#: As `fit_fused` has them where they aren't given.
SETTINGS = {
    "batch_size": None, "epochs": 1, "verbose": "auto", "callbacks": None, "validation_split": 0.0,
    "validation_data": None, "shuffle": True, "class_weight": None, "sample_weight": None,
    "initial_epoch": 0, "steps_per_epoch": None, "validation_steps": None,
    "validation_batch_size": None, "validation_freq": 1, "memory_bytes": 2**20,
}  # fmt: skip


def holds(function: Callable[[Any], None]) -> Callable[[Any], None]:
    STRETCHES[function.__name__] = function
    return function


def in_turn(model: Any, x: Any, y: Any = None, steps: Any = None, **settings: Any) -> Any:
    """Train by `fit` and fused in turn, an epoch each, beginning with `fit`."""
    from keras_bench.loops.fit_or_fused import fit_or_fused
    from keras_bench.loops.fused import _fused_steps
    from keras_bench.loops.payoff import Choice

    def choose(epochs: list[Any], remaining: int, may_end_early: bool, costs: Any) -> Choice:
        return Choice("fused" if len(epochs) % 2 else "fit", "it is its turn")

    make_steps = steps or _fused_steps()
    return fit_or_fused(make_steps, model, x, y, **{**SETTINGS, **settings}, choose=choose)


def by_fit(model: Any, *data: Any, **settings: Any) -> Any:
    return model.fit(*data, **settings)


def loops(history: Any) -> list[tuple[str, int, int]]:
    return [(each.loop, each.first, each.last) for each in history.fused.stretches]


@holds
def callbacks_hear_of_one_training(keras):
    found = []
    settings = {"batch_size": 8, "validation_split": 0.3, "validation_freq": [1, 3, 5]}
    settings |= {"initial_epoch": 1, "epochs": 5}
    for train in (in_turn, by_fit):
        events = []
        model = fresh(keras, metrics=["mae"])
        callbacks = [recorder(keras, events)]
        history = train(model, **columns(), callbacks=callbacks, verbose=0, **settings)
        found.append((events, sorted(history.history), history.epoch, history.params))
        assert history is model.history
    assert found[0] == found[1]


@holds
def a_callback_ends_it_in_either_loop(keras):
    for last in (0, 1, 2):
        model = fresh(keras)

        def stop(epoch, logs, model=model, last=last):
            model.stop_training = epoch == last

        callback = keras.callbacks.LambdaCallback(on_epoch_end=stop)
        history = in_turn(model, **columns(), epochs=5, callbacks=[callback], verbose=0)
        assert history.epoch == list(range(last + 1))
        assert model.stop_training


@holds
def a_training_broken_off_is_taken_up(keras):
    history = taken_up(keras, in_turn, epochs=5)
    assert history.epoch == [2, 3, 4]
    assert loops(history) == [("fit", 3, 3), ("fused", 4, 4), ("fit", 5, 5)]


@holds
def it_ends_early_with_the_best_weights(keras):
    """With layers that draw from the framework's own random numbers."""

    def build(keras):
        return dense(keras, keras.layers.Dropout(0.3), optimizer=keras.optimizers.Adam(0.05))

    def callbacks(keras):
        return [
            keras.callbacks.EarlyStopping(patience=3, min_delta=1.0, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=1.0),
        ]

    settings = {"epochs": 6, "validation_split": 0.3}
    answer = compare(keras, in_turn, Case(build, columns, settings, callbacks))
    assert max(answer["deviations"].values()) <= 1e-9, answer


@holds
def averages_take_the_place_of_weights_where_fit_does_so(keras):
    """At the end alone, and on JAX also where it is broken off."""

    def interrupt(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    interrupted = [keras.callbacks.LambdaCallback(on_epoch_end=interrupt)]
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, "epochs": 4}
    found = []
    for train in (in_turn, by_fit):
        for callbacks in (interrupted, []):
            optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)
            model = fresh(keras, optimizer=optimizer)
            with contextlib.suppress(KeyboardInterrupt):
                train(model, **columns(), callbacks=callbacks, **settings)
            found.append(model.get_weights()[0])
    same(found[:2], found[2:])


@holds
def examples_are_shuffled_as_by_fit_on_jax(keras):
    settings = {"batch_size": 8, "epochs": 4, "verbose": 0}
    same(*(losses(train(fresh(keras), **columns(), **settings)) for train in (in_turn, by_fit)))


@holds
def what_fused_refuses_is_trained_by_fit(keras):
    from keras_bench import fit_fused

    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, "epochs": 2}
    expected = losses(fresh(keras).fit(**columns(), **settings))
    terminate = [keras.callbacks.TerminateOnNaN()]
    history = fit_fused(fresh(keras), **columns(), **settings, callbacks=terminate, fused="auto")
    same(losses(history), expected)
    assert history.fused.stretches == ()
    assert "TerminateOnNaN" in history.fused.sentence

    batches = ((x, y) for _ in "ab" for x, y in [tuple(columns(8).values())] * 3)
    settings = {"epochs": 2, "steps_per_epoch": 3, "verbose": 0}
    history = fit_fused(fresh(keras), batches, **settings, fused="auto")
    assert len(losses(history)) == 2
    assert "steps_per_epoch" in history.fused.why


@holds
def what_fused_refuses_when_it_is_compiled_is_trained_by_fit(keras):
    from keras_bench.loops.fused import _fused_steps
    from keras_bench.loops.refusals import LoopRefusal

    class Refuses(_fused_steps()):
        def train(self, batches):
            super().train(batches)
            raise LoopRefusal("the training step: not this one; train with fit")

    settings = {"batch_size": 8, "shuffle": False, "epochs": 4, "verbose": 0}
    events, expected = [], []
    model = fresh(keras)
    callbacks = [recorder(keras, events)]
    history = in_turn(model, **columns(), steps=Refuses, callbacks=callbacks, **settings)
    model = fresh(keras)
    theirs = model.fit(**columns(), callbacks=[recorder(keras, expected)], **settings)
    same(losses(history), losses(theirs))
    assert events == expected
    assert loops(history) == [("fit", 1, 4)]
    assert "not this one" in history.fused.sentence


@holds
def what_was_done_is_told_once(keras):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        history = in_turn(fresh(keras), **columns(), epochs=3, verbose=2)
    assert told.getvalue().splitlines()[-1] == history.fused.sentence
    assert told.getvalue().count("fit_fused: ") == 1
    assert "Epoch 3/3" in told.getvalue()


@holds
def it_is_one_training_whatever_is_chosen(keras):
    """By the times of this machine: any choice leaves the same model."""
    from keras_bench import fit_fused

    settings = {"batch_size": 8, "shuffle": False, "epochs": 6, "verbose": 0}
    model, theirs = fresh(keras), fresh(keras)
    history = fit_fused(model, **columns(), **settings, fused="auto")
    same(losses(history), losses(theirs.fit(**columns(), **settings)))
    assert history.fused.stretches[0].loop == "fit"
    # What is compiled already is used from the first epoch on.
    fit_fused(model, **columns(), **{**settings, "epochs": 1})
    again = fit_fused(model, **columns(), **settings, fused="auto")
    assert again.fused.stretches[0].loop == "fused"
    theirs.fit(**columns(), **{**settings, "epochs": 1})
    same(losses(again), losses(theirs.fit(**columns(), **settings)))


@holds
def another_word_is_an_error(keras):
    from keras_bench import fit_fused

    message = ""
    try:
        fit_fused(fresh(keras), **columns(), fused="sometimes")
    except ValueError as error:
        message = str(error)
    assert message == "fused='sometimes': give 'always' or 'auto'"
