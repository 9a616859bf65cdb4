from pathlib import Path

import numpy as np
import pytest
from builders import workload_in
from fake_worker import write_fake_interpreter

from keras_bench.measure.loop_parity import check_loops
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.process import launcher

#: Leaves a loss of an epoch that rounding moves widely, and one of a step that it moves so much.
WORKER = """
import sys; sys.path[:0] = {path!r}
import numpy as np
from pathlib import Path
epoch, step = "1/0/epoch metric/loss", "1/1/epoch metric/loss"
seen = {{epoch: np.array(0.5), step: np.array(0.5)}}
moved = {{"spread/" + epoch: np.array(1.0), "spread/" + step: np.array({moved})}}
names = ("fit.npz", "steps.npz", "loop.npz")
by_fit, by_steps, by_loop = (str(Path(request["folder"], name)) for name in names)
for file, place in ((by_fit, epoch), (by_steps, step)):
    np.savez(file, **{{key: each for key, each in (seen | moved).items() if key.endswith(place)}})
    say("observation", dict(file=file))
    heard = hear()
    assert heard == ("steps apart" if place == epoch else "fused")
np.savez(by_loop, **seen)
say("loop_training", dict(file=by_loop, refusal="", error="", traceback=""))
hear()
"""


@pytest.fixture
def check(tmp_path: Path):
    """Check a loop that does as fit, where rounding moves the loss of a step by so much."""

    def run(moved: float, tell=lambda stage: None):
        path = [str(Path(np.__file__).parents[1])]
        python, file = tmp_path / "python", tmp_path / "net.py"
        file.touch()
        write_fake_interpreter(python, "", WORKER.format(path=path, moved=moved))
        learners = {"jax": Learner("jax", str(python), workload_in(file))}
        with launcher(timeout_seconds=60.0) as workers:
            found = check_loops(learners, {"jax": ("fused",)}, ParitySettings(), workers, tell)
        return found["jax", "fused"]

    return run


def test_a_loop_whose_steps_can_be_compared_agrees(check):
    stages = []
    assert check(1e-7, stages.append).outcome == "agrees"
    assert stages == ["training by fit on jax", "training by fused on jax"]


def test_where_rounding_hides_each_step_a_loop_is_unchecked_for_that_reason(check):
    hidden = check(0.1)
    assert (hidden.outcome, hidden.exit_code, hidden.unsupported) == ("unchecked", 0, False)
    assert hidden.failure == (
        "net on jax: rounding grows to a hundredth within one step, and would hide what a loop does"
        " otherwise; scale the data, lower the learning rate, or take larger batches to have it"
        " checked"
    )
