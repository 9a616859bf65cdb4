"""Trainings that a loop must do as `Model.fit` does them.

Only Keras's own functions build the models; Keras is given to them, so that the names of the cases
can be read where there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EXAMPLES, BATCH_SIZE, EPOCHS = 67, 8, 3


@dataclass(frozen=True)
class Case:
    """A training: a compiled model, its data, and the settings of `fit`."""

    build: Callable[[Any], Any]
    data: Callable[[], dict[str, Any]]
    #: Beside the data, for `fit` and the loop alike.
    settings: dict[str, Any] = field(default_factory=dict)
    #: Makes the callbacks.
    callbacks: Callable[[Any], list[Any]] = lambda keras: []
    #: For the loop alone.
    loop_settings: dict[str, Any] = field(default_factory=dict)
    #: Where it is tried: all of them, unless Keras can't do it on some.
    backends: tuple[str, ...] = ("jax", "tensorflow", "torch")
    #: Whether Keras makes something in float32, whatever `keras.config.floatx()` is.
    float32: bool = False
    #: What a refusal must speak of, where the loops refuse the training on every backend.
    refused: str | None = None


CASES: dict[str, Case] = {}


def columns(examples: int = EXAMPLES) -> dict[str, Any]:
    """Four features, and a number to learn."""
    x = np.random.default_rng(0).normal(size=(examples, 4))
    return {"x": x, "y": np.sin(x.sum(axis=1, keepdims=True))}


def classes() -> dict[str, Any]:
    """Four features, and one of three classes."""
    x = columns()["x"]
    return {"x": x, "y": np.digitize(x.sum(axis=1), [-1, 1])}


def halves() -> dict[str, Any]:
    """Four features, and one of two classes."""
    x = columns()["x"]
    return {"x": x, "y": (x.sum(axis=1, keepdims=True) > 0).astype("int32")}


def words() -> dict[str, Any]:
    """Six words of twelve, and a number to learn; words repeat."""
    x = np.random.default_rng(1).integers(0, 12, size=(EXAMPLES, 6))
    return {"x": x, "y": x.mean(axis=1, keepdims=True) / 12}


def images() -> dict[str, Any]:
    x = np.random.default_rng(2).normal(size=(EXAMPLES, 6, 6, 2))
    return {"x": x, "y": x.mean(axis=(1, 2))}


def case(data: Callable[[], dict[str, Any]] = columns, **more: Any) -> Callable[[Any], Any]:
    """Add a training by the name of the function that makes its compiled model."""

    def add(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
        CASES[build.__name__] = Case(build, data, **more)
        return build

    return add


def dense(keras: Any, *layers: Any, outputs: int = 1, **compiled: Any) -> Any:
    """Two layers and what is put between them."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="tanh"),
            *layers,
            keras.layers.Dense(outputs),
        ]
    )
    model.compile(**{"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **compiled})
    return model


# --- optimizers


@case(lambda: columns(64))
def plain_sgd(keras):
    return dense(keras)


@case()
def adam_with_a_short_last_batch(keras):
    return dense(keras, optimizer=keras.optimizers.Adam(0.01))


@case(lambda: columns(5))
def fewer_examples_than_a_batch(keras):
    return dense(keras, optimizer="adam")


@case(lambda: columns(64), settings={"batch_size": 64})
def one_batch(keras):
    return dense(keras, optimizer="adam")


@case(settings={"batch_size": None})
def batch_size_by_default(keras):
    return dense(keras)


@case(loop_settings={"memory_bytes": 1000})
def several_calls_an_epoch(keras):
    return dense(keras, keras.layers.Dropout(0.3), optimizer=keras.optimizers.Adam(0.01))


@case(loop_settings={"memory_bytes": 1})
def a_call_for_every_batch(keras):
    return dense(keras, optimizer="adam", metrics=["mae"])


@case()
def momentum(keras):
    return dense(keras, optimizer=keras.optimizers.SGD(0.02, momentum=0.9))


@case()
def nesterov(keras):
    return dense(keras, optimizer=keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True))


@case()
def rmsprop_centered_with_momentum(keras):
    return dense(keras, optimizer=keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True))


@case()
def adagrad(keras):
    return dense(keras, optimizer=keras.optimizers.Adagrad(0.1))


@case()
def adadelta(keras):
    return dense(keras, optimizer=keras.optimizers.Adadelta(1.0))


@case()
def adamax(keras):
    return dense(keras, optimizer=keras.optimizers.Adamax(0.01))


@case()
def nadam(keras):
    return dense(keras, optimizer=keras.optimizers.Nadam(0.01))


@case()
def ftrl(keras):
    return dense(keras, optimizer=keras.optimizers.Ftrl(0.1))


@case()
def adafactor(keras):
    return dense(keras, optimizer=keras.optimizers.Adafactor(0.01))


@case()
def lion(keras):
    return dense(keras, optimizer=keras.optimizers.Lion(0.005))


@case()
def lamb(keras):
    return dense(keras, optimizer=keras.optimizers.Lamb(0.01))


@case()
def amsgrad(keras):
    return dense(keras, optimizer=keras.optimizers.Adam(0.01, amsgrad=True))


@case()
def adamw_with_some_weights_not_decayed(keras):
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.05)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return dense(keras, optimizer=optimizer)


@case()
def sgd_with_weight_decay(keras):
    return dense(keras, optimizer=keras.optimizers.SGD(0.05, weight_decay=0.02))


@case()
def clipnorm(keras):
    return dense(keras, optimizer=keras.optimizers.SGD(0.1, clipnorm=0.1))


@case()
def global_clipnorm(keras):
    return dense(keras, optimizer=keras.optimizers.Adam(0.01, global_clipnorm=0.1))


@case()
def clipvalue(keras):
    return dense(keras, optimizer=keras.optimizers.SGD(0.1, clipvalue=0.05))


@case()
def moving_average_of_weights(keras):
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)
    return dense(keras, optimizer=optimizer)


@case()
def moving_average_put_in_every_five_steps(keras):
    optimizer = keras.optimizers.Adam(
        0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5
    )
    return dense(keras, optimizer=optimizer)


@case()
def gradients_of_four_steps_together(keras):
    return dense(keras, optimizer=keras.optimizers.Adam(0.01, gradient_accumulation_steps=4))


@case(float32=True)
def cosine_decay_with_warm_up(keras):
    schedule = keras.optimizers.schedules.CosineDecay(
        0.001, decay_steps=20, warmup_target=0.1, warmup_steps=5
    )
    return dense(keras, optimizer=keras.optimizers.SGD(schedule))


@case()
def exponential_decay(keras):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.8, staircase=True)
    return dense(keras, optimizer=keras.optimizers.Adam(schedule))


@case()
def loss_scaled_to_keep_small_gradients(keras):
    inner = keras.optimizers.Adam(0.01)
    return dense(
        keras, optimizer=keras.optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=7)
    )


@case()
def weights_kept_in_bounds(keras):
    bounded = keras.layers.Dense(
        5, kernel_constraint="non_neg", bias_constraint=keras.constraints.MaxNorm(0.1)
    )
    return dense(keras, bounded)


# --- losses and metrics


def _weighted() -> dict[str, Any]:
    return {**classes(), "sample_weight": np.random.default_rng(3).uniform(0, 2, EXAMPLES)}


@case(_weighted)
def sample_weights(keras):
    return dense(
        keras,
        outputs=3,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )


@case(classes, settings={"class_weight": {0: 1.0, 2: 3.0}})
def class_weights(keras):
    return dense(
        keras,
        outputs=3,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )


@case(halves)
def several_metrics(keras):
    return dense(
        keras,
        keras.layers.Dense(1, activation="sigmoid"),
        loss="binary_crossentropy",
        metrics=[
            "accuracy",
            keras.metrics.Precision(),
            keras.metrics.Recall(),
            keras.metrics.AUC(num_thresholds=20),
            keras.metrics.F1Score(threshold=0.5),
        ],
    )


@case()
def root_and_mean_of_errors(keras):
    return dense(
        keras, metrics=["mae", keras.metrics.RootMeanSquaredError(), keras.metrics.R2Score()]
    )


@case(backends=("tensorflow",))
def a_metric_that_xla_cannot_compile(keras):
    def largest(y_true, y_pred):
        import tensorflow as tf

        return tf.ensure_shape(tf.numpy_function(np.max, [y_pred], y_pred.dtype), ())

    return dense(keras, optimizer="adam", metrics=[largest])


@case()
def l2_of_the_weights(keras):
    return dense(keras, keras.layers.Dense(5, kernel_regularizer="l2", bias_regularizer="l1"))


@case()
def l2_of_the_outputs(keras):
    return dense(keras, keras.layers.Dense(5, activity_regularizer=keras.regularizers.L2(0.1)))


@case()
def a_loss_of_a_layer(keras):
    class Small(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(0.1 * keras.ops.mean(keras.ops.square(inputs)))
            return inputs

    return dense(keras, Small())


@case()
def huber_with_its_sum(keras):
    return dense(keras, loss=keras.losses.Huber(reduction="sum"), optimizer="adam")


@case(classes)
def a_loss_by_a_function(keras):
    def loss(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(keras.ops.cast(y_true, y_pred.dtype) - y_pred[:, 0]))

    return dense(keras, loss=loss, metrics=[loss])


# --- layers with a state of their own


@case()
def batch_normalization(keras):
    return dense(keras, keras.layers.BatchNormalization(momentum=0.8), optimizer="adam")


@case()
def layer_normalization(keras):
    return dense(keras, keras.layers.LayerNormalization())


@case()
def dropout_seeded(keras):
    return dense(keras, keras.layers.Dropout(0.4, seed=5))


@case()
def dropout_unseeded(keras):
    return dense(keras, keras.layers.Dropout(0.4))


@case(halves)
def dropout_after_each_layer(keras):
    layers = keras.layers
    return dense(
        keras,
        layers.Dropout(0.3),
        layers.Dense(8, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(1, activation="sigmoid"),
        optimizer="adam",
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )


@case()
def noise(keras):
    return dense(keras, keras.layers.GaussianNoise(0.3), keras.layers.GaussianDropout(0.2))


@case()
def draws_of_other_kinds(keras):
    class Drawing(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seeds = keras.random.SeedGenerator(7)

        def call(self, inputs):
            logits = keras.ops.zeros_like(inputs)
            drawn = keras.random.categorical(logits, 1, seed=self.seeds)
            near = keras.random.truncated_normal((6,), stddev=0.1, seed=self.seeds)
            whole = keras.random.randint((6,), 0, 3, seed=self.seeds)
            return inputs + near + keras.ops.cast(drawn + whole, inputs.dtype) / 10

    return dense(keras, Drawing())


@case(images)
def channels_dropped(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.SpatialDropout2D(0.3),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile("adam", "mse")
    return model


def _recurrent(keras: Any, recurrent: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((6,)), layers.Embedding(12, 3), recurrent, layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@case(words)
def embedding_and_gru(keras):
    return _recurrent(keras, keras.layers.GRU(4))


@case(words)
def embedding_and_lstm_with_dropout(keras):
    return _recurrent(keras, keras.layers.LSTM(4, dropout=0.2, recurrent_dropout=0.2))


@case(words)
def embedding_and_gru_with_dropout_of_whole_channels(keras):
    layers = keras.layers
    dropped = [layers.SpatialDropout1D(0.3), layers.GRU(4, dropout=0.2)]
    return _recurrent(keras, keras.Sequential(dropped))


@case(words)
def embedding_with_mask(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Embedding(12, 3, mask_zero=True),
            layers.SimpleRNN(4),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


@case()
def a_frozen_layer(keras):
    frozen = keras.layers.Dense(5, trainable=False)
    return dense(keras, frozen, keras.layers.BatchNormalization(trainable=False))


@case()
def a_counter_of_calls(keras):
    class Counter(keras.layers.Layer):
        def build(self, shape):
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.calls.assign_add(1)
            return inputs / (1 + self.calls / 10)

    return dense(keras, Counter())


# --- kinds of models


def _two_of_each() -> dict[str, Any]:
    x = columns()["x"]
    return {
        "x": {"left": x[:, :2], "right": x[:, 2:]},
        "y": {"sum": x.sum(axis=1, keepdims=True), "sign": (x[:, :1] > 0).astype("int32")},
    }


def _two_of_each_weighted() -> dict[str, Any]:
    weights = np.random.default_rng(4).uniform(0, 2, (2, EXAMPLES))
    return {**_two_of_each(), "sample_weight": {"sum": weights[0], "sign": weights[1]}}


@case(_two_of_each)
def inputs_and_outputs_by_name(keras):
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Concatenate()([left, keras.layers.Dense(3)(right)])
    model = keras.Model(
        {"left": left, "right": right},
        {
            "sum": keras.layers.Dense(1)(both),
            "sign": keras.layers.Dense(1, activation="sigmoid")(both),
        },
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss={"sum": "mse", "sign": "binary_crossentropy"},
        loss_weights={"sum": 0.3, "sign": 1.0},
        metrics={"sign": ["accuracy"]},
        weighted_metrics={"sum": ["mae"]},
    )
    return model


@case(_two_of_each_weighted)
def outputs_weighted_by_name(keras):
    return inputs_and_outputs_by_name(keras)


def _two_of_each_listed() -> dict[str, Any]:
    data = _two_of_each()
    weight = np.random.default_rng(4).uniform(0, 2, EXAMPLES)
    return {name: list(each.values()) for name, each in data.items()} | {"sample_weight": weight}


@case(_two_of_each_listed)
def inputs_and_outputs_listed_with_one_weight(keras):
    left, right = keras.Input((2,)), keras.Input((2,))
    both = keras.layers.Concatenate()([left, right])
    outputs = [keras.layers.Dense(1)(both), keras.layers.Dense(1, activation="sigmoid")(both)]
    model = keras.Model([left, right], outputs)
    model.compile("adam", loss=["mse", "binary_crossentropy"])
    return model


@case(lambda: {"x": columns()["x"]})
def no_targets(keras):
    class Encoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(2)
            self.outer = keras.layers.Dense(4)

        def call(self, inputs):
            outputs = self.outer(self.inner(inputs))
            self.add_loss(keras.ops.mean(keras.ops.square(outputs - inputs)))
            return outputs

    model = Encoder()
    model.compile(keras.optimizers.Adam(0.01))
    return model


@case()
def not_built_before(keras):
    model = keras.Sequential([keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


@case()
def subclassed(keras):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(5, activation="tanh")
            self.dropped = keras.layers.Dropout(0.3)
            self.last = keras.layers.Dense(1)

        def call(self, inputs, training=False):
            return self.last(self.dropped(self.first(inputs), training=training))

    model = Own()
    model.compile("adam", "mse")
    return model


@case()
def own_compute_loss(keras):
    class Own(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            return loss + 0.1 * keras.ops.mean(keras.ops.abs(y_pred))

    model = Own([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


@case()
def own_metric_of_the_model(keras):
    class Own(keras.Sequential):
        def __init__(self, layers):
            super().__init__(layers)
            self.size = keras.metrics.Mean(name="size")

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.size.update_state(keras.ops.abs(y_pred))
            return super().compute_metrics(x, y, y_pred, sample_weight)

    model = Own([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


@case()
def own_train_step(keras):
    """Trains on the sum of two losses, and reports what no metric of the model's holds."""

    class OnJax(keras.Model):
        def train_step(self, state, data):
            import jax

            weights, others, of_optimizer, of_metrics = state
            x, y = data

            def both(weights):
                outputs, after = self.stateless_call(weights, others, x, training=True)
                loss = keras.ops.mean(keras.ops.square(outputs - y))
                return loss + 0.1 * keras.ops.mean(keras.ops.abs(outputs)), after

            (loss, after), gradients = jax.value_and_grad(both, has_aux=True)(weights)
            weights, of_optimizer = self.optimizer.stateless_apply(of_optimizer, gradients, weights)
            return {"both": loss, "one": 1.0}, (weights, after, of_optimizer, of_metrics)

    class OnTensorflow(keras.Model):
        def train_step(self, data):
            import tensorflow as tf

            x, y = data
            with tf.GradientTape() as tape:
                outputs = self(x, training=True)
                loss = keras.ops.mean(keras.ops.square(outputs - y))
                loss += 0.1 * keras.ops.mean(keras.ops.abs(outputs))
            weights = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return {"both": loss, "one": 1.0}

    class OnTorch(keras.Model):
        def train_step(self, data):
            x, y = data
            self.zero_grad()
            outputs = self(x, training=True)
            loss = keras.ops.mean(keras.ops.square(outputs - y))
            loss = loss + 0.1 * keras.ops.mean(keras.ops.abs(outputs))
            loss.backward()
            weights = self.trainable_variables
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
            return {"both": loss, "one": 1.0}

    kinds = {"jax": OnJax, "tensorflow": OnTensorflow, "torch": OnTorch}
    inputs = keras.Input((4,))
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(5, activation="tanh")(inputs))
    model = kinds[keras.backend.backend()](inputs, keras.layers.Dense(1)(hidden))
    model.compile("adam", "mse")
    return model


@case()
def a_model_in_a_model(keras):
    inner = keras.Sequential([keras.layers.Dense(5), keras.layers.BatchNormalization()])
    return dense(keras, inner, keras.layers.Activation("relu"))


# --- plain stacks of Dense layers, as the notes have them


def stack(keras: Any, hidden: list[Any], last: tuple[int, str | None], **compiled: Any) -> Any:
    """A stack of Dense layers that tells classes, unless compiled for something else."""
    model = keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(*last)])
    settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
    model.compile(**settings)
    return model


@case(classes)
def stack_by_sgd(keras):
    hidden = [keras.layers.Dense(5, "relu")]
    return stack(keras, hidden, (3, "softmax"), optimizer=keras.optimizers.SGD(0.1))


@case(classes)
def stack_by_momentum(keras):
    hidden = [keras.layers.Dense(5), keras.layers.Activation("relu"), keras.layers.Dense(6, "tanh")]
    optimizer = keras.optimizers.SGD(0.02, momentum=0.9)
    return stack(keras, hidden, (3, "softmax"), optimizer=optimizer)


@case(classes, settings={"validation_split": 0.2})
def stack_by_adam(keras):
    hidden = [keras.layers.Dense(16, "relu"), keras.layers.Dense(32, "relu")]
    optimizer = keras.optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
    return stack(keras, hidden, (3, "softmax"), optimizer=optimizer, metrics=["acc"])


def _large(keras: Any) -> Any:
    """Outputs so large that Keras clips the probabilities made of them, on most backends."""
    return keras.layers.Dense(5, kernel_initializer=keras.initializers.RandomNormal(stddev=10.0))


@case(classes)
def stack_that_is_too_sure(keras):
    return stack(keras, [_large(keras)], (3, "softmax"), optimizer=keras.optimizers.SGD(0.01))


@case(halves)
def stack_of_sigmoids(keras):
    loss = keras.losses.BinaryCrossentropy()
    hidden = [keras.layers.Dense(5, "sigmoid")]
    return stack(keras, hidden, (1, "sigmoid"), optimizer="adam", loss=loss)


@case(halves)
def stack_of_sigmoids_that_is_too_sure(keras):
    optimizer = keras.optimizers.SGD(0.01)
    loss = "binary_crossentropy"
    return stack(keras, [_large(keras)], (1, "sigmoid"), optimizer=optimizer, loss=loss)


@case(halves)
def stack_by_squared_error(keras):
    optimizer = keras.optimizers.SGD(0.1)
    hidden = [keras.layers.Dense(5, "relu")]
    return stack(keras, hidden, (1, "sigmoid"), optimizer=optimizer, loss="mse")


def _two_numbers() -> dict[str, Any]:
    data = columns()
    return {**data, "y": np.concatenate([data["y"], data["y"] ** 2], axis=1)}


@case(_two_numbers)
def stack_with_two_outputs(keras):
    hidden = [keras.layers.Dense(5, "tanh")]
    return stack(
        keras, hidden, (2, "tanh"), optimizer="adam", loss="mean_squared_error", metrics=None
    )


# --- how it is compiled


@case()
def several_steps_an_execution_asked_for(keras):
    model = dense(keras, optimizer="adam", steps_per_execution=4)
    try:
        model.make_train_function()
    except ValueError:  # A release of Keras that takes one on torch.
        model.steps_per_execution = 1
    return model


@case(refused="run_eagerly")
def run_eagerly(keras):
    return dense(keras, run_eagerly=True)


# --- settings of fit


def _validated() -> dict[str, Any]:
    data = columns()
    return {**data, "validation_data": (data["x"][:21] / 2, data["y"][:21])}


@case(_validated, settings={"validation_freq": 2, "epochs": 4, "validation_batch_size": 5})
def validation_data(keras):
    return dense(keras, keras.layers.Dropout(0.3), optimizer="adam", metrics=["mae"])


@case(settings={"initial_epoch": 2, "epochs": 4})
def a_later_first_epoch(keras):
    return dense(keras)


@case(settings={"epochs": 0})
def no_epoch(keras):
    return dense(keras)


def _integers() -> dict[str, Any]:
    x = np.random.default_rng(6).integers(0, 9, size=(EXAMPLES, 4))
    return {"x": x, "y": (x[:, 0] > 4)}


@case(_integers)
def integers_and_truth_values(keras):
    return dense(keras, keras.layers.Dense(1, activation="sigmoid"), loss="binary_crossentropy")


def _half_precision() -> dict[str, Any]:
    return {name: each.astype("float16") for name, each in columns().items()}


@case(_half_precision)
def data_in_half_precision(keras):
    return dense(keras)


# --- callbacks


def _slower(epoch: int) -> float:
    return 0.1 / (1 + epoch)


@case(callbacks=lambda keras: [keras.callbacks.LearningRateScheduler(_slower)])
def learning_rate_by_epoch(keras):
    return dense(keras, optimizer="adam")


@case(
    settings={"epochs": 5},
    callbacks=lambda keras: [
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.3, patience=1, min_delta=0.5)
    ],
)
def learning_rate_reduced(keras):
    return dense(keras)


@case(
    _validated,
    settings={"epochs": 6},
    callbacks=lambda keras: [
        keras.callbacks.EarlyStopping(patience=1, min_delta=1.0, restore_best_weights=True)
    ],
)
def stopped_early_with_the_best_weights(keras):
    return dense(keras, optimizer=keras.optimizers.Adam(0.1))


@case(_validated, callbacks=lambda keras: [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)])
def validated_with_averaged_weights(keras):
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)
    return dense(keras, optimizer=optimizer)
