import re
from dataclasses import replace

import pytest
from parity_builders import (
    BIAS,
    KERNEL,
    LAST_BIAS,
    LAST_KERNEL,
    SPARSE,
    activation_layer,
    adam,
    blueprint,
    dense,
    loss,
    sgd,
)

from keras_bench.parity.blueprint import DataArray, Part
from keras_bench.parity.blueprint import Layer as BlueprintLayer
from keras_bench.parity.network import SGD, Adam, Layer, Loss, NotCovered, covered


def test_the_shipped_first_network_is_covered():
    network = covered(blueprint((3, 5, 2), optimizer=sgd(0.01)))
    assert network.layers == (
        Layer("dense", "relu", KERNEL, BIAS),
        Layer("dense_1", "softmax", LAST_KERNEL, LAST_BIAS),
    )
    assert network.loss == Loss("sparse categorical")
    assert network.optimizer == SGD(0.01)
    assert network.slots == {}
    assert network.iterations == "optimizer/iteration"
    assert network.learning_rate == "optimizer/learning_rate"
    assert network.weights == (KERNEL, BIAS, LAST_KERNEL, LAST_BIAS)


def test_the_shipped_second_network_is_covered_with_adams_slots():
    network = covered(blueprint((1, 16, 32, 2), ("relu", "relu", "softmax"), adam(0.0001)))
    assert [layer.name for layer in network.layers] == ["dense", "dense_1", "dense_2"]
    assert network.optimizer == Adam(0.0001, 0.9, 0.999, 1e-7)
    assert len(network.slots) == 2 * 6
    assert network.slots["velocity", "dense_2/bias"] == "optimizer/dense_2_bias_velocity"
    assert network.slots["momentum", KERNEL] == "optimizer/dense_kernel_momentum"


def test_the_optimizers_variables_are_known_behind_any_name_and_in_any_order():
    described = blueprint(optimizer=sgd(momentum=0.9))
    described = replace(
        described,
        weights=tuple(
            replace(weight, path=f"sequential_3/{weight.path}") for weight in described.weights
        ),
        optimizer_variables=(
            "sgd_1/sequential_3_dense_1_bias_momentum",
            "sgd_1/sequential_3_dense_1_kernel_momentum",
            "sgd_1/learning_rate",
            "sgd_1/sequential_3_dense_bias_momentum",
            "sgd_1/iteration",
            "sgd_1/sequential_3_dense_kernel_momentum",
        ),
    )
    network = covered(described)
    assert network.iterations == "sgd_1/iteration"
    assert network.learning_rate == "sgd_1/learning_rate"
    assert network.slots == {
        ("momentum", f"sequential_3/{path}"): f"sgd_1/sequential_3_{name}_momentum"
        for path, name in (
            (KERNEL, "dense_kernel"),
            (BIAS, "dense_bias"),
            (LAST_KERNEL, "dense_1_kernel"),
            (LAST_BIAS, "dense_1_bias"),
        )
    }


def test_momentum_and_nesterov_are_read():
    described = blueprint(optimizer=sgd(0.1, momentum=0.8, nesterov=True))
    assert covered(described).optimizer == SGD(0.1, 0.8, True)


def test_a_layer_without_bias_and_an_activation_of_its_own_are_read():
    network = covered(blueprint(use_bias=False, apart=True))
    assert network.layers == (
        Layer("dense", "linear", KERNEL),
        Layer("activation_0", "relu"),
        Layer("dense_1", "linear", LAST_KERNEL),
        Layer("activation_1", "softmax"),
    )
    assert network.weights == (KERNEL, LAST_KERNEL)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (SPARSE, Loss("sparse categorical")),
        (Part("keras.categorical_crossentropy", {}), Loss("categorical")),
        (Part("keras.binary_crossentropy", {}), Loss("binary")),
        (Part("keras.mean_squared_error", {}), Loss("squared error")),
        (loss("MeanSquaredError"), Loss("squared error")),
        (loss("BinaryCrossentropy", axis=-1, label_smoothing=0.0), Loss("binary")),
        (loss("CategoricalCrossentropy"), Loss("categorical")),
    ],
)
def test_losses_are_known_as_functions_and_as_classes(part, expected):
    activation = "softmax" if "categorical" in expected.kind else "sigmoid"
    assert covered(blueprint(activations=("relu", activation), losses=(part,))).loss == expected


def test_a_loss_of_logits_is_known():
    part = loss("SparseCategoricalCrossentropy", from_logits=True, ignore_class=None)
    described = blueprint(activations=("relu", "linear"), losses=(part,))
    assert covered(described).loss == Loss("sparse categorical", from_logits=True)


def with_layer(layer):
    described = blueprint()
    return replace(described, layers=(layer, *described.layers[1:]))


FLATTEN = BlueprintLayer("flatten", Part("keras.Flatten", {"name": "flatten"}), ())
OWN_DENSE = replace(dense(0, 5, "relu"), part=Part("mine.Dense", dense(0, 5, "relu").part.config))
TANH = activation_layer("squash", "tanh")


def data_of(*names, shape=(13, 3)):
    return tuple(DataArray(name, shape, "") for name in names)


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (blueprint(model="keras.Functional"), "class keras.Functional"),
        (blueprint(model="mine.Sequential"), "class mine.Sequential"),
        (blueprint(random_layers=("dropout",)), "random layer dropout"),
        (blueprint(losses=()), "0 losses"),
        (blueprint(dtype="float64"), "precision float32 of dense"),
        (blueprint(data=data_of("x", "y", shape=(13,))), "data of 1 axes"),
        (blueprint(data=data_of("x", "y", shape=(13, 4, 3))), "data of 3 axes"),
        (blueprint(data=data_of("x['a']", "x['b']", "y")), "data of x['a'], x['b'], y"),
        (blueprint(data=data_of("x", "y", "sample_weight")), "data of x, y, sample_weight"),
        (blueprint(activations=("relu", "sigmoid")), "cross-entropy of the activation sigmoid"),
        (
            blueprint(
                activations=("relu", "linear"), losses=(Part("keras.binary_crossentropy", {}),)
            ),
            "cross-entropy of the activation linear",
        ),
        (
            blueprint(losses=(loss("SparseCategoricalCrossentropy", loss_weights=[2.0]),)),
            "loss_weights=",
        ),
        (blueprint(losses=(SPARSE, SPARSE)), "2 losses"),
        (with_layer(FLATTEN), "layer flatten of the class keras.Flatten"),
        (with_layer(OWN_DENSE), "layer dense of the class mine.Dense"),
        (with_layer(TANH), "activation tanh of squash"),
        (with_layer(dense(0, 5, "gelu")), "activation gelu of dense"),
        (with_layer(dense(0, 5, "relu", kernel_regularizer={"class_name": "L2"})), "of dense"),
        (with_layer(dense(0, 5, "relu", bias_constraint="NonNeg")), "bias_constraint=NonNeg"),
        (with_layer(dense(0, 5, "relu", trainable=False)), "trainable=False of dense"),
        (with_layer(dense(0, 5, "relu", lora_rank=4)), "lora_rank=4 of dense"),
        (blueprint(losses=(Part("keras.Huber", {}),)), "loss keras.Huber"),
        (blueprint(losses=(Part("mine.mean_squared_error", {}),)), "mine.mean_squared_error"),
        (blueprint(losses=(loss("MeanSquaredError", reduction="sum"),)), "reduction=sum of the"),
        (
            blueprint(losses=(loss("CategoricalCrossentropy", label_smoothing=0.1),)),
            "label_smoothing=0.1 of the loss",
        ),
        (
            blueprint(losses=(loss("SparseCategoricalCrossentropy", ignore_class=0),)),
            "ignore_class=0 of the loss",
        ),
        (blueprint(optimizer=Part("keras.RMSprop", adam().config)), "optimizer keras.RMSprop"),
        (blueprint(optimizer=Part("mine.Adam", adam().config)), "optimizer mine.Adam"),
        (blueprint(optimizer=sgd(weight_decay=0.1)), "weight_decay=0.1 of the optimizer"),
        (blueprint(optimizer=adam(clipnorm=1.0)), "clipnorm=1.0 of the optimizer"),
        (blueprint(optimizer=adam(global_clipnorm=1.0)), "global_clipnorm=1.0"),
        (blueprint(optimizer=adam(use_ema=True)), "use_ema=True"),
        (blueprint(optimizer=adam(amsgrad=True)), "amsgrad=True of the optimizer"),
        (blueprint(optimizer=sgd(gradient_accumulation_steps=2)), "accumulation_steps=2"),
        (blueprint(optimizer=sgd({"class_name": "CosineDecay"})), "a learning-rate schedule"),
        (
            blueprint(optimizer_variables=("o/iteration", "o/learning_rate", "o/extra")),
            "variables extra, iteration, learning_rate",
        ),
        (blueprint(optimizer_variables=("o/iteration",)), "variables iteration"),
    ],
)
def test_what_the_reference_does_not_know_is_refused_by_name(described, words):
    with pytest.raises(NotCovered, match=re.escape(words)):
        covered(described)
