"""Users' own models on real frameworks: what they may be trained on, and where."""

import json
from pathlib import Path
from typing import Any

import pytest

MODELS = '''
import keras, numpy as np
from keras import layers as L

BACKEND = keras.backend.backend()
FIT = {"epochs": 2}


def arrays(seed):
    x = np.random.default_rng(seed).normal(size=(50, 2)).astype("float32")
    return x, x[:, :1]


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, x):
        return self.dense(L.concatenate([x["left"], x["right"]]) if isinstance(x, dict) else x)


def compiled(model, loss="mse"):
    model.compile("sgd", loss)
    return model


def build():
    return compiled(keras.Sequential([keras.Input((2,)), L.Dense(1)]))


def build_own():
    return compiled(Own())


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        x, y = arrays(0)
        return x[index * 12 : index * 12 + 12], y[index * 12 : index * 12 + 12]


class Broken(Batches):
    def __getitem__(self, index):
        raise OSError("the picture is gone")


build_batches = build_broken = build_tf = build_loader = build_weighted = build_nan = build
build_own_batches = build_own_dict = build_own_nothing = build_own

data_batches = data_own_batches = lambda seed: Batches()
data_broken = lambda seed: Broken()
data_own = arrays
data_weighted = lambda seed: (*arrays(seed), np.ones(50))
data_nan = lambda seed: (arrays(seed)[0] * np.nan, arrays(seed)[1])


def data_tf(seed):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(arrays(seed)).shuffle(50).batch(12)


def data_loader(seed):
    import torch

    pairs = torch.utils.data.TensorDataset(*map(torch.tensor, arrays(seed)))
    return torch.utils.data.DataLoader(pairs, batch_size=12, shuffle=True)


def data_tf_endless(seed):
    return data_tf(seed).repeat()


def data_tf_unknown(seed):
    return data_tf(seed).repeat().filter(lambda x, y: True)


def data_loader_endless(seed):
    import torch

    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            batch = torch.zeros((12, 2)), torch.zeros((12, 1))
            while True:
                yield batch

    return torch.utils.data.DataLoader(Endless(), batch_size=None)


build_tf_endless = build_tf_unknown = build_loader_endless = build


def data_own_dict(seed):
    x, y = arrays(seed)
    return {"left": x, "right": x[:, :1]}, y


def build_two():
    """Two inputs by name, of which one is left open, and two outputs."""
    words, side = keras.Input((None,), name="words"), keras.Input((3,), name="side")
    embedded = L.Embedding(7, 4)(words)
    each = L.Dense(5, "softmax", name="each")(embedded)
    whole = L.Concatenate()([L.GlobalAveragePooling1D()(embedded), side])
    whole = L.Dense(2, "softmax", name="whole")(whole)
    model = keras.Model({"words": words, "side": side}, {"tags": each, "kind": whole})
    losses = {"tags": "sparse_categorical_crossentropy", "kind": "categorical_crossentropy"}
    return compiled(model, losses)


def build_lists():
    inputs = [keras.Input((2,)), keras.Input((3,), dtype="int32")]
    side = L.Flatten()(L.Embedding(9, 2)(inputs[1]))
    both = L.Concatenate()([inputs[0], side])
    outputs = [L.Dense(1, name="p")(both), L.Dense(3, "softmax", name="q")(both)]
    return compiled(
        keras.Model(inputs, outputs), {"q": "sparse_categorical_crossentropy", "p": "mse"}
    )


def build_only():
    if BACKEND != "torch":
        raise NotImplementedError("written with torch alone")
    return build()


class Late(Own):
    def call(self, x):
        if BACKEND == "jax":
            raise NotImplementedError("no scan")
        import torch

        return self.dense(x)


def build_late():
    return compiled(Late())


data_late = arrays


class Uncalled(keras.Model):
    """Lacks its call()."""


class Inner(Own):
    def __init__(self):
        super().__init__()
        self.dense = type("Bare", (L.Layer,), {})()


class Unnumbered(keras.utils.PyDataset):
    def __getitem__(self, index):
        return arrays(index)


def build_uncalled():
    return compiled(Uncalled())


def build_inner():
    model = compiled(Inner())
    model(np.zeros((1, 2)))
    return model


def build_variable():
    import os

    return os.environ["OF_NO_SUCH_KIND"]


def build_module():
    import of_no_such_kind


class Times(L.Layer):
    def call(self, x):
        return keras.ops.matmul(x, keras.ops.ones((3, 1)))

    def compute_output_shape(self, shape):
        return (shape[0], 1)


def build_times():
    return compiled(keras.Sequential([keras.Input((2,)), Times()]))


def build_misnamed():
    model = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    model.compile("of_no_such_kind", "mse")


build_unnumbered = build
data_unnumbered = lambda seed: Unnumbered()
data_uncalled = data_inner = arrays
'''


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("own") / "mine.py"
    file.write_text(MODELS)
    return file


def endless(kind: str, framework: str, backend: str) -> list[str]:
    if backend != framework:
        return ["unsupported", f"it needs {framework}"]
    return ["workload", f"the {kind} of data() gives no end"]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_models_are_trained_on_what_keras_takes_and_otherwise_refused(
    train_in_turn, models: Path, backend: str
):
    trained = [50, True, ""]
    made_up = "1024 examples of random data"
    expected = {
        "build": [1024, True, made_up],
        "build_lists": [1024, True, made_up],
        "build_two": [1024, True, f"{made_up}, 32 long where the model leaves the size open"],
        **dict.fromkeys(
            ("build_batches", "build_weighted", "build_own", "build_own_batches"), trained
        ),
        "build_own_dict": trained,
        "build_tf": trained if backend == "tensorflow" else ["unsupported", "it needs tensorflow"],
        "build_loader": trained if backend == "torch" else ["unsupported", "it needs torch"],
        "build_tf_endless": endless("_RepeatDataset", "tensorflow", backend),
        "build_tf_unknown": endless("_FilterDataset", "tensorflow", backend),
        "build_loader_endless": endless("DataLoader", "torch", backend),
        "build_only": [1024, True, made_up]
        if backend == "torch"
        else ["unsupported", "written with torch alone"],
        "build_late": {
            "torch": trained,
            "jax": ["unsupported", "no scan"],
            "tensorflow": ["unsupported", "it needs torch"],
        }[backend],
        "build_broken": [
            "workload", "going through the Broken of data() raises OSError: the picture is gone",
        ],
        "build_own_nothing": [
            "workload",
            "has no data(), and its model doesn't tell the shape of its inputs",
        ],
        "build_uncalled": [
            "workload",
            "training raises NotImplementedError: Model Uncalled does not have a `call()` method"
            " implemented.",
        ],
        "build_inner": [
            "workload",
            "build() raises NotImplementedError: Layer Bare does not have a `call` method"
            " implemented.",
        ],
        "build_unnumbered": [
            "workload",
            "going through the Unnumbered of data() raises NotImplementedError:"
            " You need to implement the `num_batches` property:",
        ],
        "build_nan": ["diverged", "the loss became nan in epoch 1"],
    }  # fmt: skip
    answers = train_in_turn(backend, [(models, builder) for builder in expected])
    assert dict(zip(expected, map(outcome, answers), strict=True)) == expected


@pytest.mark.parametrize(
    ("backend", "raiser"),
    [("jax", "jax"), ("torch", "Keras on torch"), ("tensorflow", "Keras on tensorflow")],
)
def test_the_remedy_is_that_of_what_raises_it(
    train_in_turn, models: Path, backend: str, raiser: str
):
    remedies = {
        "build_variable": "add `--pass-env OF_NO_SUCH_KIND`",
        "build_module": "add `--with of_no_such_kind`, or install it there",
        "build_times": f"{raiser} itself raises it (--debug shows the traceback)",
        "build_misnamed": "",
    }
    answers = train_in_turn(backend, [(models, builder) for builder in remedies])
    assert [answer["remedy"] for answer in answers] == list(remedies.values())


def outcome(answer: dict[str, Any]) -> list[object]:
    """Return how many examples were trained on, whether that helped, and on what; or a refusal."""
    if "kind" in answer:
        return [answer["kind"], answer["message"]]
    first, last, *_ = answer["losses"]
    return [answer["examples"], last < first, answer["random_data"]]


@pytest.fixture
def envs(stoppable_pythons) -> list[str]:
    return [f"--env={backend}={python}" for backend, python in stoppable_pythons.items()]


def rows_of(tmp_path: Path) -> dict[str, dict[str, dict[str, object]]]:
    document = json.loads((tmp_path / "cwd" / "results" / "latest.json").read_text())
    return {
        table["workload"]: {row["backend"]: row for row in table["rows"]}
        for table in document["tables"]
    }


def test_a_run_says_where_a_model_is_not_trained_and_on_what_it_is(
    run_cli, envs, models: Path, tmp_path: Path
):
    names = ("build_only", "build_batches")
    files = [f"{models}:{name}" for name in names]
    answer = run_cli(
        "run", *files, "--backend=jax", "--backend=torch", "--quick", "--rounds=1", *envs
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    rows = rows_of(tmp_path)
    only = rows["mine:build_only"]
    assert {backend: row["unsupported"] for backend, row in only.items()} == {
        "torch": False, "jax": True,
    }  # fmt: skip
    assert "not on jax: written with torch alone; measure" in answer.stdout
    assert "torch trains an epoch of mine:build_only" in answer.stdout
    assert only["torch"]["parity_summary"] == "torch is unchecked: no other backend trains it"

    batches = rows["mine:build_batches"]
    assert {row["parity"] for row in batches.values()} == {"unchecked"}
    assert all("data() returns a Batches;" in row["parity_summary"] for row in batches.values())
    assert all(row["epoch_seconds"] is not None for row in batches.values())


def test_the_workload_to_start_from_runs_as_it_is(run_cli, envs):
    assert run_cli("new", "my_model.py").returncode == 0
    answer = run_cli(
        "run", "my_model.py", "--set=units=8", "--backend=jax", "--quick", "--rounds=1", *envs
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "jax trains an epoch of my_model(units=8)" in answer.stdout
    assert "parity:" not in answer.stdout
