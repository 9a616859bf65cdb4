"""The tables of a run on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.break_even_answer import loops_answers
from keras_bench.analyze.comparison import Table
from keras_bench.records import Run
from keras_bench.report.columns import caption, notes, remarks, speed, text_table
from keras_bench.report.terminal import print_table


def print_tables(console: Console, run: Run, tables: Sequence[Table]) -> None:
    """Print a table per workload, fastest first, each with its answer below it."""
    for table in tables:
        console.print()
        print_table(console, text_table(table, speed(table), caption(table)))
        for remark in dict.fromkeys(remarks(table)):
            console.print(Text(remark, style="red"))
        for note in dict.fromkeys(notes(table)):
            console.print(Text(note, style="dim"))
        for sentence in answers(table):
            console.print(Text(sentence, style="bold"))
        for sentence in loops_answers(run, table):
            console.print(Text(sentence))
    console.print()
    console.print(Text(ending(run, tables)))
