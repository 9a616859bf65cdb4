"""The README's figures and names are those of the project, and it stays a first page."""

import re

from project import PROJECT, linked_results

from keras_bench.analyze.answer import answer
from keras_bench.analyze.comparison import tables
from keras_bench.measure.workloads import template
from keras_bench.store.runs import load

README = (PROJECT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 160


def test_it_is_short():
    assert len(README.splitlines()) <= MOST_LINES


def test_its_answer_is_that_of_the_run_that_it_names():
    (file,) = linked_results("README.md", "runs")
    sentences = [answer(table) for table in tables(load(file))]
    assert len(sentences) == 2
    assert all(f"- {sentence}\n" in README for sentence in sentences)


def test_its_example_of_a_workload_is_the_one_that_is_written_for_users():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert code == template().read_text(encoding="utf-8")
