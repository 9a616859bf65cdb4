"""What the driver of the loops must do beside the training itself, and what it must refuse.

Read by `answering.py` in a framework's environment: each check is given Keras and `fit_fused`.
"""

import contextlib
import io
import pickle
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from trainings import columns, dense

Check = Callable[[Any, Any], Any]

#: By their kind: what raises unless it holds, and what asks for something that must be refused.
CHECKED: dict[str, dict[str, Check]] = {"check": {}, "refusal": {}}

#: Words of the message of each refusal.
WORDS: dict[str, tuple[str, ...]] = {}


def check(function: Check) -> Check:
    CHECKED["check"][function.__name__] = function
    return function


def refused(*words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(keras: Any, fit_fused: Any) -> None:
            function(keras, fit_fused, *columns().values())

        WORDS[function.__name__] = words
        CHECKED["refusal"][function.__name__] = ask
        return function

    return add


def fresh(keras: Any, **compiled: Any) -> Any:
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    return dense(keras, **{"optimizer": "adam", **compiled})


def losses(history: Any) -> Any:
    return np.array(history.history["loss"])


def same(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


# --- the order of the examples


@check
def examples_are_shuffled_at_every_epoch(keras, fit_fused):
    """Where nothing is learned, only the order can move what is seen last."""
    seen = []
    for shuffle in (False, True):
        model = fresh(keras, optimizer=keras.optimizers.SGD(0.05))
        fit_fused(model, **columns(), batch_size=60, epochs=2, shuffle=shuffle, verbose=0)
        seen.append(model.get_weights()[0])
    assert not np.allclose(*seen, rtol=1e-9)


@check
def every_example_counts_once_an_epoch(keras, fit_fused):
    """The loss is that of all examples, in whatever order, where the weights stay."""
    model = fresh(keras, optimizer=keras.optimizers.SGD(0.0))
    history = fit_fused(model, **columns(), batch_size=8, epochs=3, verbose=0, memory_bytes=2000)
    expected = model.evaluate(**columns(), verbose=0)
    same(losses(history), [expected] * 3)


def _shuffled_as_fit(keras: Any, fit_fused: Any, build: Callable[[], Any]) -> None:
    found = []
    for train in (fit_fused, lambda model, *rest, **more: model.fit(*rest, **more)):
        keras.utils.clear_session()
        keras.utils.set_random_seed(3)
        model = build()
        # Once more with the variables that are there: fit draws other numbers then.
        found.append(
            [losses(train(model, **columns(), batch_size=8, epochs=2, verbose=0)) for _ in "ab"]
        )
    same(*found)


@check
def fit_shuffles_alike_on_jax(keras, fit_fused):
    if keras.backend.backend() == "jax":
        _shuffled_as_fit(keras, fit_fused, lambda: dense(keras, metrics=["mae"]))


@check
def fit_shuffles_alike_on_jax_where_the_model_is_not_built(keras, fit_fused):
    def build():
        model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        return model

    if keras.backend.backend() == "jax":
        _shuffled_as_fit(keras, fit_fused, build)


# --- several trainings of a model


@check
def fit_goes_on_where_fused_ended(keras, fit_fused):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    model = fresh(keras)
    first = losses(fit_fused(model, **columns(), epochs=2, **settings))
    then = losses(model.fit(**columns(), epochs=1, **settings))
    last = losses(fit_fused(model, **columns(), epochs=1, **settings))
    expected = losses(fresh(keras).fit(**columns(), epochs=4, **settings))
    same(np.concatenate([first, then, last]), expected)


@check
def the_program_is_kept_with_the_model(keras, fit_fused):
    traced = []

    def loss(y_true, y_pred):
        traced.append(True)
        return keras.ops.mean(keras.ops.square(y_true - y_pred))

    model = fresh(keras, loss=loss)
    settings = {"batch_size": 8, "epochs": 2, "verbose": 0}
    fit_fused(model, **columns(), **settings)
    assert traced
    traced.clear()
    fit_fused(model, **columns(), **settings)
    assert not traced
    model.compile("sgd", loss)
    fit_fused(model, **columns(), **settings)
    assert traced


@check
def another_compilation_is_trained_by(keras, fit_fused):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    found = []
    for train in (fit_fused, lambda model, *rest, **more: model.fit(*rest, **more)):
        model = fresh(keras)
        train(model, **columns(), **settings)
        model.layers[0].trainable = False
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mae")
        train(model, **columns(), **settings)
        found.append(np.concatenate([weight.ravel() for weight in model.get_weights()]))
    same(*found)


@check
def values_set_in_between_are_trained_from(keras, fit_fused):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    model = fresh(keras, optimizer=keras.optimizers.SGD(0.1))
    start = model.get_weights()
    first = losses(fit_fused(model, **columns(), **settings))
    model.set_weights(start)
    same(losses(fit_fused(model, **columns(), **settings)), first)
    model.set_weights(start)
    model.optimizer.learning_rate = 0.0
    fit_fused(model, **columns(), **settings)
    for ours, theirs in zip(model.get_weights(), start, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@check
def other_sizes_are_trained_by_the_same_model(keras, fit_fused):
    model, by_fit = fresh(keras), fresh(keras)
    for examples, batch_size in ((67, 8), (40, 8), (64, 16), (3, 8), (200, 8)):
        settings = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
        data = columns(examples)
        same(losses(fit_fused(model, **data, **settings)), losses(by_fit.fit(**data, **settings)))


@check
def a_trained_model_is_saved_and_pickled(keras, fit_fused):
    model = fresh(keras)
    fit_fused(model, **columns(), verbose=0)
    expected = model.predict(columns()["x"], verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        same(keras.models.load_model(file).predict(columns()["x"], verbose=0), expected)
    same(pickle.loads(pickle.dumps(model)).predict(columns()["x"], verbose=0), expected)


# --- callbacks


def recorder(keras: Any, events: list[Any]) -> Any:
    class Recorder(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            events.append(("train begins", self.params["epochs"], self.params["steps"]))

        def on_train_end(self, logs=None):
            events.append(("train ends", sorted(logs)))

        def on_epoch_begin(self, epoch, logs=None):
            events.append(("epoch begins", epoch))

        def on_epoch_end(self, epoch, logs=None):
            kinds = {type(value) for value in logs.values()}
            events.append(("epoch ends", epoch, sorted(logs), kinds))

        def on_test_begin(self, logs=None):
            events.append("test begins")

        def on_test_batch_end(self, batch, logs=None):
            events.append(("tested", batch, sorted(logs)))

        def on_test_end(self, logs=None):
            events.append(("test ends", sorted(logs)))

    return Recorder()


@check
def callbacks_hear_what_they_hear_under_fit(keras, fit_fused):
    found = []
    for train in (fit_fused, lambda model, *rest, **more: model.fit(*rest, **more)):
        events = []
        model = fresh(keras, metrics=["mae"])
        history = train(
            model,
            **columns(),
            epochs=3,
            batch_size=8,
            validation_split=0.3,
            validation_freq=[1, 3],
            callbacks=[recorder(keras, events)],
            verbose=0,
        )
        found.append((events, sorted(history.history), history.epoch, history.params))
        assert history is model.history
    assert found[0] == found[1]


@check
def a_callback_stops_the_training(keras, fit_fused):
    def stop(epoch, logs):
        model.stop_training = epoch == 1

    model = fresh(keras)
    callback = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    history = fit_fused(model, **columns(), epochs=5, callbacks=[callback], verbose=0)
    assert history.epoch == [0, 1]
    # And doesn't stop the next.
    assert len(fit_fused(model, **columns(), epochs=2, verbose=0).epoch) == 2


@check
def files_are_written_at_epochs(keras, fit_fused):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        callbacks = [
            keras.callbacks.CSVLogger(str(folder / "log.csv")),
            keras.callbacks.ModelCheckpoint(
                str(folder / "best.keras"), "loss", save_best_only=True
            ),
            keras.callbacks.ModelCheckpoint(
                str(folder / "{epoch}.weights.h5"), save_weights_only=True
            ),
        ]
        model = fresh(keras)
        history = fit_fused(model, **columns(), epochs=3, callbacks=callbacks, verbose=0)
        rows = (folder / "log.csv").read_text().split()
        assert rows[0].startswith("epoch,loss")
        same([float(row.split(",")[1]) for row in rows[1:]], losses(history))
        assert {file.name[0] for file in folder.glob("*.weights.h5")} == {"1", "2", "3"}
        other = fresh(keras)
        other.load_weights(folder / "3.weights.h5")
        same(other.get_weights()[0], model.get_weights()[0])
        best = keras.models.load_model(folder / "best.keras")
        same(best.get_weights()[0], model.get_weights()[0])


def taken_up(keras: Any, train: Callable[..., Any], epochs: int) -> Any:
    """Break a training off before its third epoch, take it up again, and return that history.

    Its losses are those of `fit`, or it raises.
    """

    def fail(epoch, logs):
        if epoch == 2:
            raise RuntimeError("the power failed")

    with tempfile.TemporaryDirectory() as folder:

        def backup():
            return keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)

        settings = {"batch_size": 8, "shuffle": False, "verbose": 0, "epochs": epochs}
        failing = keras.callbacks.LambdaCallback(on_epoch_begin=fail)
        with contextlib.suppress(RuntimeError):
            train(fresh(keras), **columns(), callbacks=[backup(), failing], **settings)
        history = train(fresh(keras), **columns(), callbacks=[backup()], **settings)
    expected = fresh(keras).fit(**columns(), **settings)
    same(losses(history), losses(expected)[2:])
    return history


@check
def a_training_broken_off_is_taken_up(keras, fit_fused):
    assert taken_up(keras, fit_fused, epochs=4).epoch == [2, 3]


@check
def a_training_that_is_interrupted_leaves_a_model(keras, fit_fused):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    model = fresh(keras)
    with contextlib.suppress(KeyboardInterrupt):
        fit_fused(model, **columns(), epochs=5, callbacks=[Interrupt()], **settings)
    expected = fresh(keras)
    expected.fit(**columns(), epochs=2, **settings)
    same(model.predict(columns()["x"], verbose=0), expected.predict(columns()["x"], verbose=0))
    same(
        losses(fit_fused(model, **columns(), **settings)),
        losses(expected.fit(**columns(), **settings)),
    )


@check
def a_training_that_fails_does_not_put_averages_of_nothing_in_the_place_of_weights(
    keras, fit_fused
):
    model = fresh(keras)
    model.compile(keras.optimizers.SGD(use_ema=True), "mse")
    _fail(model, fit_fused)


@check
def other_types_and_places_of_nothing_are_trained_by_the_same_model(keras, fit_fused):
    def made():
        keras.utils.set_random_seed(0)
        inputs = keras.Input((3,))
        hidden = keras.layers.Dense(4)(inputs)
        outputs = [keras.layers.Dense(1, name=name)(hidden) for name in ("a", "b")]
        model = keras.Model(inputs, outputs)
        model.compile("sgd", ["mse", "mse"])
        return model

    model, by_fit = made(), made()
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(24, 3)), rng.uniform(size=24)
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    for y_type, weighted in (("int32", (weights, None)), ("float32", (None, weights))):
        y = [rng.integers(0, 5, size=(24, 1)).astype(y_type) for _ in range(2)]
        data = {"x": x, "y": y, "sample_weight": list(weighted)}
        same(losses(fit_fused(model, **data, **settings)), losses(by_fit.fit(**data, **settings)))


@check
def a_training_that_fails_leaves_the_model_as_it_was(keras, fit_fused):
    model = fresh(keras)
    _fail(model, fit_fused)
    assert np.isfinite(model.predict(columns()["x"], verbose=0)).all()


def _fail(model, fit_fused):
    """Train on targets of another shape, which raises and leaves the weights as they were."""
    before = model.get_weights()
    x = columns()["x"]
    failed = True
    with contextlib.suppress(Exception):
        fit_fused(model, x, np.zeros((len(x), 7, 2)), verbose=0)
        failed = False
    assert failed, "targets of another shape were trained on"
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@check
def a_metric_that_fit_does_not_see_on_jax_fails_as_there(keras, fit_fused):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = keras.layers.Dense(1)
            self.size = keras.metrics.Mean(name="size")

        def call(self, inputs):
            outputs = self.last(inputs)
            self.size.update_state(keras.ops.abs(outputs))
            return outputs

    for train in (fit_fused, Own.fit):
        model = Own()
        model.compile("adam", "mse")
        failed = True
        with contextlib.suppress(TypeError):
            train(model, **columns(), verbose=0)
            failed = False
        assert failed
        if train is fit_fused:
            assert float(model.size.result()) == 0.0
            assert np.isfinite(model.predict(columns()["x"], verbose=0)).all()


@check
def the_progress_is_shown_once_an_epoch(keras, fit_fused):
    for verbose in (1, 2):
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            fit_fused(fresh(keras), **columns(), batch_size=8, epochs=2, verbose=verbose)
        assert "Epoch 2/2" in shown.getvalue()
        assert "9/9" in shown.getvalue()
        assert "loss" in shown.getvalue()


@check
def keras_limits_the_epochs(keras, fit_fused):
    keras.config.set_max_epochs(2)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            history = fit_fused(fresh(keras), **columns(), epochs=5, verbose=0)
    finally:
        keras.config.set_max_epochs(None)
    assert history.epoch == [0, 1]
    assert any("2" in str(each.message) for each in told)


# --- data


def _trains_alike(keras: Any, fit_fused: Any, x: Any, y: Any, **settings: Any) -> None:
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, **settings}
    ours = fit_fused(fresh(keras), x, y, **settings)
    same(losses(ours), losses(fresh(keras).fit(x, y, **settings)))


@check
def tensors_are_taken(keras, fit_fused):
    x, y = columns().values()
    _trains_alike(keras, fit_fused, keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))


@check
def the_end_is_cut_off_to_validate(keras, fit_fused):
    x, y = columns().values()
    settings = {"validation_split": 0.25, "batch_size": 8, "shuffle": False, "verbose": 0}
    found = [
        train(x, y, **settings).history["val_loss"]
        for train in (lambda *a, **k: fit_fused(fresh(keras), *a, **k), fresh(keras).fit)
    ]
    same(*found)


# --- what is refused


@refused("compile")
def not_compiled(keras, fit, x, y):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    fit(model, x, y)


@refused("trainable")
def nothing_trainable(keras, fit, x, y):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, trainable=False)])
    model.compile("adam", "mse")
    fit(model, x, y)


@refused("optimizer")
def no_optimizer(keras, fit, x, y):
    fit(fresh(keras, optimizer=None), x, y)


@refused("run_eagerly")
def run_eagerly(keras, fit, x, y):
    fit(fresh(keras, run_eagerly=True), x, y)


@refused("OnBatch", "on_train_batch_end")
def callback_at_batches(keras, fit, x, y):
    class OnBatch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    fit(fresh(keras), x, y, callbacks=[OnBatch()])


@refused("OnBatch", "on_batch_begin")
def callback_at_batches_by_the_name_of_old(keras, fit, x, y):
    class OnBatch(keras.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            pass

    fit(fresh(keras), x, y, callbacks=OnBatch())


@refused("LambdaCallback", "on_train_batch_begin")
def function_at_batches(keras, fit, x, y):
    callback = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: None)
    fit(fresh(keras), x, y, callbacks=[callback])


@refused("TerminateOnNaN", "on_batch_end")
def terminate_on_nan(keras, fit, x, y):
    fit(fresh(keras), x, y, callbacks=[keras.callbacks.TerminateOnNaN()])


@refused("ModelCheckpoint", "on_train_batch_end")
def checkpoint_every_five_batches(keras, fit, x, y):
    fit(fresh(keras), x, y, callbacks=[keras.callbacks.ModelCheckpoint("m.keras", save_freq=5)])


@refused("x", "generator")
def generator(keras, fit, x, y):
    fit(fresh(keras), (pair for pair in [(x, y)]))


@refused("x", "Batches")
def py_dataset(keras, fit, x, y):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return x, y

    fit(fresh(keras), Batches())


@refused("x", "csr_matrix")
def sparse(keras, fit, x, y):
    import scipy.sparse

    fit(fresh(keras), scipy.sparse.csr_matrix(x), y)


@refused("numbers")
def strings(keras, fit, x, y):
    fit(fresh(keras), x.astype(str), y)


@refused("numbers")
def objects(keras, fit, x, y):
    fit(fresh(keras), x.astype(object), y)


@refused("67", "60")
def lengths_that_differ(keras, fit, x, y):
    fit(fresh(keras), x, y[:60])


@refused("no example")
def nothing(keras, fit, x, y):
    fit(fresh(keras), x[:0], y[:0])


@refused("class_weight")
def both_kinds_of_weights(keras, fit, x, y):
    fit(fresh(keras), x, y, class_weight={0: 2.0}, sample_weight=np.ones(len(x)))


@refused("steps_per_epoch")
def steps_of_an_epoch(keras, fit, x, y):
    fit(fresh(keras), x, y, steps_per_epoch=3)


@refused("steps_per_epoch")
def steps_limited_by_keras(keras, fit, x, y):
    keras.config.set_max_steps_per_epoch(2)
    try:
        fit(fresh(keras), x, y)
    finally:
        keras.config.set_max_steps_per_epoch(None)


@refused('shuffle="batch"')
def shuffled_within_batches(keras, fit, x, y):
    fit(fresh(keras), x, y, shuffle="batch")


@refused("values", "compiled")
def a_step_that_looks_at_its_loss(keras, fit, x, y):
    class Own(keras.Sequential):
        def train_step(self, state, data):
            logs, state = super().train_step(state, data)
            return {"loss": float(logs["loss"])}, state

    model = Own([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile=False)
    before = model.get_weights()
    try:
        fit(model, x, y)
    finally:
        np.testing.assert_array_equal(model.get_weights()[0], before[0])


@refused("keras.distribution")
def distributed(keras, fit, x, y):
    model = fresh(keras)
    keras.distribution.set_distribution(object())
    try:
        fit(model, x, y)
    finally:
        keras.distribution.set_distribution(None)
