from dataclasses import astuple

import pytest
from history_builders import history_rows_of

from keras_bench.commands.history import show_history
from keras_bench.errors import ResultsBroken, UsageError
from keras_bench.store.files import append_lines
from keras_bench.store.history import COLUMNS, _csv, history_file

LOGS = [0.0, 0.01, -0.01, 0.0, 0.01, -0.01]


@pytest.fixture
def results(tmp_path):
    rows = [
        *history_rows_of(LOGS),
        *history_rows_of(LOGS, workload="other", backend="torch"),
    ]
    lines = _csv([astuple(row) for row in rows])
    append_lines(history_file(tmp_path), lines, heading=_csv([COLUMNS]))
    return tmp_path


def shown(capsys, results, workloads=(), backends=()):
    show_history(workloads, backends, results)
    return capsys.readouterr().out


def test_every_series_is_shown(capsys, results):
    said = shown(capsys, results)
    assert "net on jax" in said
    assert "other on torch" in said


def test_of_workloads_and_backends_those_that_were_asked_for_are_shown(capsys, results):
    assert "other on torch" not in shown(capsys, results, ("net",))
    assert "net on jax" not in shown(capsys, results, backends=("torch",))


@pytest.mark.parametrize(
    ("workloads", "backends", "asked"),
    [
        (("nett",), (), "nett"),
        ((), ("tensorflow",), "tensorflow"),
        (("net",), ("torch",), "net, torch"),
    ],
)
def test_what_it_does_not_hold_is_said_with_what_it_holds(results, workloads, backends, asked):
    with pytest.raises(UsageError) as caught:
        show_history(workloads, backends, results)
    assert caught.value.exit_code == 2
    assert str(caught.value) == (
        f"{asked}: the history holds no run of it; it holds net on jax, other on torch"
    )


def test_a_broken_row_is_a_warning_and_costs_no_other(capsys, results):
    with history_file(results).open("a") as file:
        file.write("1,2026,run\n")
    said = shown(capsys, results)
    assert "net on jax" in said
    assert f"warning: {history_file(results)}, line 14: left out, for it has 3 fields" in said


def test_without_a_history_there_is_nothing_to_show(tmp_path):
    with pytest.raises(ResultsBroken, match="can't be read"):
        show_history((), (), tmp_path)


def test_an_unknown_workload_has_an_exit_code_and_one_line(run_cli, results):
    answer = run_cli("history", "--workload=nett", f"--results={results}")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("error: nett: the history holds no run of it; ")
    assert answer.stderr.count("\n") == 1
