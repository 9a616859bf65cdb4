"""Explaining as a command, with fake interpreters: no framework is needed here."""

import json
import re
import signal
from pathlib import Path

import pytest
from fake_worker import asked_of
from processes import PATIENCE_SECONDS, wait_for

SHORT = "--budget=1"

#: Whose speed is that of its loop, and which isn't to be watched.
BY_LOOP = """
loop = request["loop"]
if request["watched"]:
    say("problem", dict(kind="workload", message="it is shy", traceback=""))
elif loop in REFUSED:
    say("problem", dict(kind="loop", message="it has a reason", traceback=""))
else:
    sample({"fused": 0.001, "bare": 0.0005}.get(loop, 0.01))
"""


def by_loop(*refused: str) -> str:
    return f"REFUSED = {refused!r}\n{BY_LOOP}"


@pytest.fixture
def explain(run_cli, fake_python):
    def explain(behaviour: str, *options: str):
        python = fake_python(behaviour)
        return run_cli(
            "explain", "dense_3_5_2", "--backend=jax", f"--env=jax={python}",
            "--json=found.json", "--markdown=found.md", *options,
        )  # fmt: skip

    return explain


def document(tmp_path: Path):
    return json.loads((tmp_path / "cwd" / "found.json").read_text())


def test_it_says_what_is_faster_and_why_there_is_no_profile(explain, tmp_path: Path):
    answer = explain(by_loop("batch"), "--budget=60")
    assert answer.returncode == 0, answer.stderr
    assert "no profile: dense_3_5_2.py: it is shy" in answer.stdout
    assert "Faster than fit as it is, measured now: fused" in answer.stdout
    assert "not tried: not by batch on jax: it has a reason" in answer.stdout
    found = document(tmp_path)
    parts = [each["epoch_seconds"]["value"] for each in found["explanation"]["parts"]]
    assert sum(parts) == pytest.approx(found["explanation"]["epoch_seconds"]["value"])
    assert found["advice"] in answer.stdout
    assert "Where an epoch of dense_3_5_2 goes" in (tmp_path / "cwd" / "found.md").read_text()


def test_where_every_loop_is_refused_the_epoch_is_still_told(explain, tmp_path: Path):
    refused = ("bare", "fused", "batch", "fit:8", "fit:32", "fit jit_compile=True")
    answer = explain(by_loop(*refused), SHORT)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("it has a reason") >= len(refused)
    (part,) = document(tmp_path)["explanation"]["parts"]
    assert part["name"] == "all of it"


def test_a_training_that_dies_ends_it_with_its_exit_code(explain):
    answer = explain("os._exit(9)", SHORT)
    assert answer.returncode == 5
    assert "the worker ended with exit code 9" in answer.stdout


def test_a_loop_that_dies_takes_nothing_from_the_others(explain):
    answer = explain(f"if request['loop'] == 'batch': os._exit(9)\n{by_loop()}", SHORT)
    assert answer.returncode == 0, answer.stderr
    assert re.search("not tried: dense_3_5_2.* the worker ended with exit code 9", answer.stdout)


def test_further_values_of_a_setting_are_other_trainings(explain, tmp_path: Path):
    answer = explain(by_loop(), SHORT, "--set=batch_size=10,40")
    assert answer.returncode == 0, answer.stderr
    found = document(tmp_path)["explanation"]
    assert found["workload"] == "dense_3_5_2(batch_size=10)"
    others = [each["name"] for each in found["tries"] if each["other_training"]]
    assert others == ["dense_3_5_2(batch_size=40)"]


def test_a_file_of_several_workloads_is_asked_which(run_cli, fake_python, tmp_path: Path):
    file = tmp_path / "two.py"
    file.write_text("def build_a(): pass\ndef build_b(): pass\n")
    answer = run_cli("explain", str(file), "--backend=jax", f"--env=jax={fake_python('sample()')}")
    assert answer.returncode == 2
    assert "build_a, build_b; name one after a colon" in answer.stderr


def test_what_was_measured_before_ctrl_c_is_explained(
    explain, interrupted_in_round_2, tmp_path: Path
):
    answer = explain(by_loop())
    assert answer.returncode == 130
    assert "INCOMPLETE" in answer.stdout
    assert document(tmp_path)["explanation"]["processes"] == 1


def test_ctrl_c_before_anything_was_measured_says_so(start_cli, fake_python):
    python = fake_python("time.sleep(600)")
    process = start_cli("explain", "dense_3_5_2", "--backend=jax", f"--env=jax={python}")
    wait_for(lambda: "timing" in asked_of(python), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "interrupted" in said
