"""A wrong call is answered in one line, with the exit code of its kind."""

import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["run", "dense_3_5"], 2, "did you mean dense_3_5_2"),
        (["run", "--backend=jaxx"], 2, "did you mean jax?"),
        (["new", "mine.txt"], 2, "let it end in .py"),
        (["new", "nowhere/mine.py"], 2, "can't be written (no such file or directory)"),
        (["run", "--env=jax"], 2, "isn't BACKEND=SPEC"),
        (["run", "--set=batch_size"], 2, "isn't NAME=VALUE"),
        (["run", "--set=batch size=3"], 2, "isn't NAME=VALUE"),
        (["run", "--set=batch_size=3", "--set=batch_size=4"], 2, "batch_size is set twice"),
        (["run", "--backend=numpy"], 2, "numpy: Keras can't train on this backend, only predict"),
        (["run", f"--env=openvino={sys.executable}"], 2, "openvino: Keras can't train"),
        (["run", "--task=predict", "--backend=numpy", "--no-make"], 4, "environments --make jax"),
        (["run", "--task=guess"], 2, "'train', 'predict'"),
        (["calibrate", "--backend=numpy"], 2, "can't train on numpy"),
        (["run", "--tag=note"], 2, "no workload has this tag"),
        (["run", "--threads=many"], 2, "neither default, nor single"),
        (["run", "--precision=-1"], 2, "--precision"),
        (["run", "--rounds=0"], 2, "--rounds"),
        (["run", "--budget=inf"], 2, "no finite number"),
        (["run", "--timeout=nan"], 2, "--timeout"),
        (["run", "missing.py"], 3, "missing.py: doesn't exist"),
        (["run", "--env=jax=/nowhere/python"], 4, "no such interpreter"),
        (["run", "--backend=jax", "--no-make"], 4, "no environment of it is made"),
        (["run", f"--env=jax={sys.executable}"], 4, "install keras-bench[jax]"),
        (["run", "--env=jax=keras=3.14"], 2, "'keras=3.14' is no requirement"),
        (["run", "--env=jax=./nowhere"], 4, "no such interpreter or folder"),
        (["run", "--env=jax=."], 4, "isn't installed beside Keras"),
        (["run", "--env=jax=impossible"], 4, "no matching distribution found for impossible"),
        (["parity", "--env=jaxx=python"], 2, "did you mean jax?"),
        (["parity", "--backend=jaxx"], 2, "did you mean jax?"),
        (["parity", "--dtype=float16"], 2, "is not one of 'float32', 'float64'"),
        (["parity", "--epochs=0"], 2, "'--epochs': 0 is not in the range"),
        (["parity", "--tolerance=-1"], 2, "'--tolerance': -1.0 is not in the range"),
        (["parity", "--tolerance=nan"], 2, "'--tolerance': nan is no finite number"),
        (["parity", "--tolerance=inf"], 2, "'--tolerance': inf is no finite number"),
        (["parity", "--json=."], 2, "is a directory"),
        (["parity", "--backend=jax", "--no-make"], 4, "no environment of it is made"),
        (["explain", "dense_3_5_2", "--backend=jax", "--no-make"], 4, "no environment of it"),
        (["calibrate", "--backend=jax", "--no-make"], 4, "no environment of it is made"),
        (["environments", "--make=jax", "--prune"], 2, "--make and --prune are two commands"),
        (["environments", "--make=jaxx"], 2, "did you mean jax?"),
        (["show", "missing.json"], 10, "can't be read"),
        (["show"], 10, "measure with `keras-bench run`"),
        (["gate"], 2, "Missing option '--backend'"),
        (["gate", "--backend=jaxx", "--baseline=a", "--candidate=b"], 2, "did you mean jax?"),
        (["gate", "--backend=jax", "--baseline=/nowhere/python", "--candidate=b"], 4, "no such"),
        (["gate", "--threshold=0"], 2, "--threshold"),
        (["gate", "--backend=jax", "--baseline=git:-x", "--candidate=b"], 2, "no revision"),
        (
            ["gate", "--backend=jax", "--baseline=a", "--candidate=a", "--no-make"],
            4,
            "a on jax: no",
        ),
        (["versions"], 2, "Missing option '--backend'"),
        (["versions", "--backend=jax"], 2, "Missing option '--spec'"),
        (["versions", "--backend=jax", "--spec=a"], 2, "none to be compared with"),
        (["versions", "--backend=jax", "--spec=a", "--spec=a"], 2, "it is named twice"),
        (["versions", "--backend=jaxx", "--spec=a"], 2, "did you mean jax?"),
        (["calibrate"], 2, "Missing option '--backend'"),
        (["history"], 10, "history.csv: can't be read"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(run_cli, arguments, exit_code: int, message: str):
    answer = run_cli(*arguments)
    assert answer.returncode == exit_code
    assert message in answer.stderr.splitlines()[-1]
    assert answer.stderr.lower().count("error: ") == 1
    assert "Traceback" not in answer.stderr + answer.stdout
