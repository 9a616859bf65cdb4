"""docs/explanation/concepts.md: what its examples print is what it shows."""

import os
import re
import subprocess
from pathlib import Path

from framework_variables import framework_variables
from project import PROJECT, SOURCES

PAGE = PROJECT / "docs" / "explanation" / "concepts.md"


def test_its_examples_print_what_it_shows(pythons, compiled_by_jax, tmp_path: Path):
    finished = subprocess.run(
        [pythons["jax"], str(PROJECT / "tests" / "support" / "run_page.py"), str(PAGE)],
        cwd=PROJECT,
        env=framework_variables(
            "jax",
            tmp_path,
            PYTHONPATH=os.pathsep.join(
                map(str, (SOURCES, PROJECT / "models", PROJECT / "docs" / "examples"))
            ),
            # The page trains the same networks time and again: each is compiled once.
            **compiled_by_jax,
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    attempted = int(finished.stdout.split()[-4])
    examples = re.findall(r"^>>> ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert attempted == len(examples)
