"""The workloads themselves, run in a real environment as plain Keras files."""

import json
import subprocess
from pathlib import Path

import pytest
from framework_variables import framework_variables
from project import PROJECT

MODELS = PROJECT / "models"


@pytest.fixture
def ask(pythons, tmp_path: Path):
    """Run a few lines beside the models, and return what they leave in `answer`."""

    def run(code: str, backend: str = "jax"):
        process = subprocess.run(
            [pythons[backend], "-c", f"import json\n{code}\nprint(json.dumps(answer))"],
            cwd=MODELS,
            env=framework_variables(backend, tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])

    return run


def test_the_first_network_has_the_notes_settings(ask):
    answer = ask("""
import dense_3_5_2 as w
m = w.build()
answer = [m.count_params(), type(m.optimizer).__name__, float(m.optimizer.learning_rate.numpy()),
          m.loss, w.FIT]
""")
    parameters, optimizer, learning_rate, loss, fit = answer
    assert (parameters, optimizer) == (3 * 5 + 5 + 5 * 2 + 2, "SGD")
    assert 0.0001 <= learning_rate <= 0.1
    assert loss == "sparse_categorical_crossentropy"
    assert fit == {"batch_size": 10, "epochs": 20, "shuffle": True}


def test_the_second_network_has_the_notes_settings(ask):
    answer = ask("""
import dense_1_16_32_2 as w
m = w.build()
answer = [m.count_params(), type(m.optimizer).__name__, float(m.optimizer.learning_rate.numpy()),
          m.loss, w.FIT]
""")
    parameters, optimizer, learning_rate, loss, fit = answer
    assert (parameters, optimizer) == (1 * 16 + 16 + 16 * 32 + 32 + 32 * 2 + 2, "Adam")
    assert learning_rate == pytest.approx(0.0001)
    assert loss == "sparse_categorical_crossentropy"
    assert fit == {"batch_size": 10, "epochs": 20, "shuffle": True}


def test_the_three_ways_the_notes_write_the_first_network_are_one(ask):
    answer = ask("""
import keras, numpy as np
import dense_3_5_2 as w
from keras import Input, Sequential
from keras.layers import Activation, Dense

listed = w.build()
added = Sequential()
added.add(Input((3,)))
added.add(Dense(5, activation="relu"))
added.add(Dense(2, activation="softmax"))
separate = Sequential([Input((3,)), Dense(5), Activation("relu"), Dense(2), Activation("softmax")])
x, _ = w.data(0)
outputs = []
for model in (listed, added, separate):
    model.set_weights(listed.get_weights())
    outputs.append(model.predict(x, verbose=0))
answer = [bool((outputs[0] == other).all()) for other in outputs[1:]]
""")
    assert answer == [True, True]


def test_habermans_patients_are_all_there_and_standardised(ask):
    answer = ask("""
import dense_3_5_2 as w
x, y = w.data(0)
again, other = w.data(0)[0], w.data(1)[0]
answer = [x.shape, str(x.dtype), y.shape, int(y.sum()), x.mean(0).tolist(), x.std(0).tolist(),
          bool((x == again).all()), bool((x == other).all())]
""")
    shape, dtype, labels, died, means, deviations, repeats, ignores_seed = answer
    assert (shape, dtype, labels, died) == ([306, 3], "float32", [306], 81)
    assert means == pytest.approx([0, 0, 0], abs=1e-6)
    assert deviations == pytest.approx([1, 1, 1], abs=1e-6)
    assert repeats
    assert not ignores_seed


def test_the_drug_trial_is_the_notes(ask):
    answer = ask("""
import dense_1_16_32_2 as w, numpy as np
x, y = w.data(0)
ages = np.rint(x[:, 0] * 87 + 13).astype(int)
old = ages >= 65
answer = [x.shape, str(x.dtype), int(old.sum()), int(y[old].sum()), int(y[~old].sum()),
          int(ages.min()), int(ages.max()), float(x.min()), float(x.max())]
""")
    shape, dtype, old, old_with, young_with, youngest, oldest, low, high = answer
    assert (shape, dtype, old) == ([2100, 1], "float32", 1050)
    assert old_with == round(0.95 * 1050 + 0.25)
    assert young_with == 1050 - old_with
    assert 13 <= youngest < 20
    assert 95 < oldest <= 100
    assert (low, high) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.05))


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_each_network_runs_by_itself_on_each_backend(ask, backend: str):
    answer = ask(
        """
import keras, dense_3_5_2, dense_1_16_32_2
answer = [keras.backend.backend()]
for w in (dense_3_5_2, dense_1_16_32_2):
    keras.utils.set_random_seed(0)
    history = w.build().fit(*w.data(0), **{**w.FIT, "epochs": 2}, verbose=0)
    answer.append(history.history["loss"])
""",
        backend,
    )
    assert answer[0] == backend
    for first, second in answer[1:]:
        assert second < first
