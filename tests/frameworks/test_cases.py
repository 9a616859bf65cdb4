"""Parity on workloads made after public reports, and on others of the same kinds."""

import re
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"

ALL = ("tensorflow", "jax", "torch")

#: A network of images, of which a test replaces a part.
IMAGES = """
import keras, numpy as np
from keras import layers as L

BACKEND = keras.backend.backend()
FIT = {"batch_size": 16, "epochs": 1}

def data(seed):
    r = np.random.default_rng(seed)
    return r.uniform(size=(48, 12, 12, 3)).astype("float32"), r.integers(0, 3, size=48)

Conv2D = L.Conv2D
# here

def build():
    last = L.Dense(3, "softmax", name="out")
    model = keras.Sequential([keras.Input((12, 12, 3)), *layers(), last])
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    return model
"""

CONV = """
def layers():
    return [Conv2D(4, 3, activation="relu", name="conv"), L.GlobalAveragePooling2D(name="mean")]
"""

POOLED_FIRST = """
def layers():
    return [L.UpSampling2D(8, name="large"), L.GlobalAveragePooling2D(name="mean")]
"""

LAYER_OFF = """
class Conv2D(L.Conv2D):
    def call(self, x):
        return super().call(x) * (1.0001 if BACKEND == "torch" else 1.0)
"""

#: Numbers of a half, which one backend rounds up and the others to the even one.
HALVES = """
class Rounded(L.Layer):
    def call(self, x):
        halves = keras.ops.floor(x * 4.0) + 0.5
        if BACKEND == "jax":
            return keras.ops.floor(halves + 0.5) / 100.0
        return keras.ops.round(halves) / 100.0

def layers():
    return [Rounded(name="rounded"), L.Flatten()]
"""

#: A root at 0 behind weights: its slope is infinite, which reaches them on one backend.
ROOT = """
class Root(L.Layer):
    def call(self, x):
        x = keras.ops.relu(x - 1e6)
        return keras.ops.sqrt(x + (0.0 if BACKEND == "tensorflow" else 1.0))

def layers():
    return [L.Flatten(), L.Dense(4, name="before"), Root(name="root")]
"""

#: Whole numbers of what a weight has moved: on TensorFlow what makes them has no gradient at all.
BINS = """
def layers():
    bins = L.Discretization([-1.0, 0.0, 1.0], name="bins")
    return [L.Flatten(), L.Dense(4, name="before"), bins, L.Rescaling(0.5, name="numbers")]
"""


#: Inputs in a tuple, targets of a class each, and a last batch that is shorter.
TUPLES = """
import keras, numpy as np

FIT = {"batch_size": 16, "epochs": 2, "class_weight": {0: 1.0, 1: 3.0}}

def data(seed):
    r = np.random.default_rng(seed)
    x = r.normal(size=(41, 4)).astype("float32"), r.integers(0, 9, size=(41, 3))
    return x, r.integers(0, 2, size=(41, 1))

def build():
    numbers, words = keras.Input((4,)), keras.Input((3,), dtype="int32")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(9, 2)(words))
    together = keras.layers.Concatenate()([numbers, embedded])
    out = keras.layers.Dense(1, "sigmoid", name="out")(together)
    model = keras.Model((numbers, words), out)
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy")
    return model
"""


def outcomes(verdict) -> dict[str, str]:
    return {each.backend: each.outcome for each in verdict.backends}


@pytest.mark.parametrize(
    "name", ["conv_bias_images", "length_first", "named_outputs_weighted", "own_train_step"]
)
def test_all_agree(check, told, name):
    verdict = check(str(CASES / f"{name}.py"), epochs=1)
    assert outcomes(verdict) == dict.fromkeys(ALL, "agrees"), told(verdict)


def test_what_loses_digits_agrees_and_is_told(check, told):
    verdict = check(str(CASES / "bn_after_relu.py"), epochs=1)
    assert outcomes(verdict) == dict.fromkeys(ALL, "agrees"), told(verdict)
    (jax,) = (each for each in verdict.backends if each.backend == "jax")
    assert re.search(r"jax computes .*layer bn to \d digits.* in float32", *jax.remarks)


def test_in_float64_what_is_computed_in_float32_is_one_remark(check, told):
    verdict = check(str(CASES / "bn_after_relu.py"), epochs=1, dtype="float64")
    assert "differs" not in outcomes(verdict).values(), told(verdict)
    (jax,) = (each for each in verdict.backends if each.backend == "jax")
    assert jax.outcome == "explained"
    assert any("jax computes in float32: the output of layer bn" in each for each in jax.remarks)


def test_the_training_by_fit_is_judged(check, told):
    verdict = check(str(CASES / "schedule_free.py"))
    assert outcomes(verdict) == {"tensorflow": "differs", "jax": "agrees", "torch": "agrees"}
    (said,) = told(verdict)["tensorflow"]
    assert "the training by fit, though each step by itself agrees" in said


def test_states_begin_each_stage_as_in_a_new_training(check, told):
    verdict = check(str(CASES / "stateful_lstm.py"))
    assert outcomes(verdict) == {"tensorflow": "differs", "jax": "differs", "torch": "unchecked"}
    for backend in ("tensorflow", "jax"):
        (said,) = told(verdict)[backend]
        assert "the training by fit, though each step by itself agrees" in said
    (torch,) = (each for each in verdict.backends if each.backend == "torch")
    assert "modified by an inplace operation" in torch.failure
    assert "fix stateful_lstm.py" not in torch.failure


def test_a_layer_that_takes_other_positions_of_equal_scores_is_named(check, told):
    verdict = check(str(CASES / "topk_index.py"))
    assert outcomes(verdict) == {"tensorflow": "agrees", "jax": "agrees", "torch": "differs"}
    (said,) = told(verdict)["torch"]
    assert said.startswith("in epoch 1, step 1: the output of layer best (")


def test_a_weight_of_a_loss_that_differs_on_one_backend_is_named(check, told):
    text = (CASES / "named_outputs_weighted.py").read_text()
    odd = '{"policy": 0.3, "value": 1.001 if keras.backend.backend() == "torch" else 1.0}'
    verdict = check(text.replace('{"policy": 0.3, "value": 1.0}', odd), epochs=1)
    assert outcomes(verdict) == {"tensorflow": "agrees", "jax": "agrees", "torch": "differs"}
    (said,) = told(verdict)["torch"]
    assert "the loss (" in said


def test_inputs_in_a_tuple_agree_where_the_weights_of_classes_do(check, told):
    odd = TUPLES.replace("1: 3.0", "1: 3.001 if keras.backend.backend() == 'jax' else 3.0")
    verdict = check(odd, epochs=1)
    assert outcomes(verdict) == {"tensorflow": "agrees", "jax": "differs", "torch": "agrees"}
    (said, *_) = told(verdict)["jax"]
    assert "data() gives it another sample_weight" in said


def test_what_computes_in_16_bits_is_unchecked_by_design(check):
    verdict = check(str(CASES / "mixed_precision.py"), ["jax"])
    (jax,) = verdict.backends
    assert (jax.outcome, jax.exit_code) == ("unchecked", 0)
    assert "computes in bfloat16, whose rounding hides everything" in jax.failure


def test_objects_are_unchecked_in_one_line(check):
    verdict = check(str(CASES / "object_array.py"))
    assert outcomes(verdict) == dict.fromkeys(ALL, "unchecked")
    (tensorflow, *_) = verdict.backends
    assert "its data have Python objects in x" in tensorflow.failure
    assert all("\n" not in each.failure for each in verdict.backends)


def test_the_error_of_each_backend_comes_first(check):
    verdict = check(str(CASES / "ids_out_of_range.py"))
    failures = {each.backend: each.failure for each in verdict.backends}
    assert "30 is not in [0, 30)" in failures["tensorflow"]
    assert "index out of range" in failures["torch"]
    assert failures["jax"]


def test_callbacks_are_left_out_and_told(check):
    verdict = check(str(CASES / "early_stopping.py"), epochs=1)
    assert set(outcomes(verdict).values()) == {"agrees"}
    assert any("FIT's callbacks is left out" in remark for remark in verdict.remarks)


def test_whole_numbers_behind_a_weight_agree(check, told):
    verdict = check(IMAGES.replace("# here", BINS))
    assert outcomes(verdict) == dict.fromkeys(ALL, "agrees"), told(verdict)


def test_a_mean_over_an_image_agrees(check, told):
    verdict = check(IMAGES.replace("# here", POOLED_FIRST))
    assert outcomes(verdict) == dict.fromkeys(ALL, "agrees"), told(verdict)


def test_a_layer_that_is_off_is_found_among_the_rounding_of_images(check, told):
    verdict = check(IMAGES.replace("# here", LAYER_OFF + CONV))
    found = outcomes(verdict)
    assert found.pop("torch") == "differs"
    assert "differs" not in found.values(), told(verdict)
    first, *_ = told(verdict)["torch"]
    assert first.startswith("in epoch 1, step 1: the output of layer conv (off by 1.0e-04")


def test_a_layer_that_rounds_halves_another_way_is_named(check, told):
    verdict = check(IMAGES.replace("# here", HALVES))
    assert outcomes(verdict) == {"tensorflow": "agrees", "jax": "differs", "torch": "agrees"}
    (said,) = told(verdict)["jax"]
    assert said.startswith("in epoch 1, step 1: the output of layer rounded (")


def test_a_backend_with_an_infinite_gradient_is_named_with_its_layer(check, told):
    verdict = check(IMAGES.replace("# here", ROOT))
    assert outcomes(verdict) == {"tensorflow": "differs", "jax": "agrees", "torch": "agrees"}
    assert any("layer root" in said for said in told(verdict)["tensorflow"])
