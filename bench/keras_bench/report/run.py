"""The tables of a run on a terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.break_even_answer import loops_answers
from keras_bench.analyze.comparison import Table
from keras_bench.records import Run
from keras_bench.report.columns import caption, cells, is_numeric, notes, remarks, speed, titles


def print_tables(console: Console, run: Run, tables: Sequence[Table]) -> None:
    """Print a table per workload, fastest first, each with its answer below it."""
    for table in tables:
        grid = Grid(
            title=Text(table.workload),
            title_justify="left",
            title_style="bold",
            caption=caption(table),
            caption_justify="left",
            box=SIMPLE_HEAD,
        )
        columns = speed(table)
        for title, numeric in zip(titles(table, columns), is_numeric(table, columns), strict=True):
            grid.add_column(title, justify="right" if numeric else "left")
        for position, (row, texts) in enumerate(
            zip(table.rows, cells(table, columns), strict=True)
        ):
            fastest = position == 0 and row.counts and len(table.rows) > 1
            grid.add_row(*map(Text, texts), style="green" if fastest else "")
        console.print()
        console.print(grid)
        for remark in dict.fromkeys(remarks(table)):
            console.print(Text(remark, style="red"), soft_wrap=True)
        for note in dict.fromkeys(notes(table)):
            console.print(Text(note, style="dim"), soft_wrap=True)
        for sentence in answers(table):
            console.print(Text(sentence, style="bold"))
        for sentence in loops_answers(run, table):
            console.print(Text(sentence))
    console.print()
    console.print(Text(ending(run, tables)))
