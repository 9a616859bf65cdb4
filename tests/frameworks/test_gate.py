"""The gate on a real framework: JAX's, which starts fastest."""

import json
from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD

LEARNS_SOMETHING_ELSE = SMALL_WORKLOAD.replace("Dense(1)", "Dense(1, activation='tanh')")


@pytest.fixture
def gate(run_cli, warm_pythons, tmp_path: Path):
    """Gate the small workload against another version of it; return the answer and the pair."""

    def run(candidate: str, *options: str):
        for side, text in (("before", SMALL_WORKLOAD), ("after", candidate)):
            (tmp_path / side).mkdir()
            (tmp_path / side / "mine.py").write_text(text)
        python = warm_pythons["jax"]
        answer = run_cli(
            "gate", "mine.py", "--backend=jax", f"--baseline={python}", f"--candidate={python}",
            f"--baseline-workloads={tmp_path / 'before'}",
            f"--candidate-workloads={tmp_path / 'after'}",
            "--json=found.json", *options,
        )  # fmt: skip
        (pair,) = json.loads((tmp_path / "cwd" / "found.json").read_text())["pairs"]
        return answer, pair

    return run


def test_another_training_is_no_slower_training(gate):
    answer, pair = gate(LEARNS_SOMETHING_ELSE)
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert pair["verdict"] == "parity failed"
    assert "parity failed: mine on jax: " in answer.stdout
    assert pair["rounds"] == 0
