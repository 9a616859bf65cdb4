"""On each backend, Keras's loops and a compiled epoch train the same.

`nox -s canary` runs this on the newest builds, the full tests on the pinned versions.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD

from keras_bench.records import BACKENDS

#: What Keras says up to 3.15, which takes one step per execution on torch.
REFUSED_BY_KERAS = "`steps_per_execution` must be 1 with the PyTorch backend"


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_steps_and_a_fused_epoch_train_as_fit_does(
    run_cli,
    python_of: Callable[[str], str],
    pytestconfig: pytest.Config,
    command_folder: Path,
    backend: str,
):
    (command_folder / "mine.py").write_text(SMALL_WORKLOAD)
    environment = f"--env={backend}={python_of(backend)}"
    loops = ("--loop=fit:32", "--loop=fused")
    answer = run_cli("parity", "mine.py", *loops, f"--backend={backend}", environment)
    told = answer.stdout + answer.stderr
    assert f"- {backend} fused agrees with fit to rounding" in told
    # What an environment is named for is known to take several steps everywhere.
    if pytestconfig.getoption("keras_bench_env") or REFUSED_BY_KERAS not in told:
        assert f"- {backend} fit:32 agrees with fit to rounding" in told
        assert answer.returncode == 0, told
    else:
        assert backend == "torch"
