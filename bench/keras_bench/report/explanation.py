"""Where an epoch goes and what is faster, on a terminal and in Markdown."""

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.advice import Try, advice
from keras_bench.analyze.attribution import Share
from keras_bench.analyze.explanation import Explanation
from keras_bench.analyze.numbers import in_seconds, milliseconds, ratio_text, whole
from keras_bench.records import Run
from keras_bench.report.columns import with_interval
from keras_bench.report.markdown import described, pipe_table, plain
from keras_bench.report.progress import Shown, draw_spent
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable


def explanation_tables(found: Explanation) -> tuple[TextTable, ...]:
    """Return the tables of an explanation, those alone that have rows."""
    every = (_parts(found), _functions(found), _tries(found))
    return tuple(each for each in every if each.rows)


def remarks(found: Explanation) -> tuple[str, ...]:
    """Return what is to be said below the tables: what is missing, and what was refused."""
    refused = [
        f"{'not tried' if each.times_as_fast is None else 'not advised'}: {each.refused}"
        for each in found.tries
        if each.refused
    ]
    return (*found.notes, *refused)


def print_explanation(console: Console, found: Explanation, run: Run) -> None:
    """Print the tables, and the advice below them."""
    console.print()
    console.print(Text(_heading(found), style="bold"))
    for table in explanation_tables(found):
        print_table(console, table)
    for remark in remarks(found):
        console.print(Text(remark, style="yellow"))
    console.print(Text(advice(found.tries), style="bold"))
    console.print(Text(_ending(run)))


def markdown(found: Explanation, run: Run) -> str:
    """Return the same as a page of GitHub-flavoured Markdown."""
    pieces = [f"# Where an epoch of {plain(found.workload)} goes on {found.backend}"]
    pieces += [plain(_heading(found)), plain(advice(found.tries))]
    for table in explanation_tables(found):
        pieces += [f"## {table.title}", pipe_table(table), f"{plain(table.caption)}."]
    if said := remarks(found):
        pieces.append("\n".join(f"- {plain(each)}" for each in said))
    pieces.append(
        f"- {_ending(run)}\n"
        f"- {run.started_utc}, {run.elapsed_seconds:.0f} s, seed {run.settings.seed},"
        f" threads {run.settings.threads}\n"
        f"- {described(run.machine)}"
    )
    return "\n\n".join(pieces) + "\n"


def draw(run: Run) -> list[Shown]:
    """Draw how much of the budget is spent."""
    spent, budget = run.elapsed_seconds, run.settings.budget_seconds or 0.0
    return [draw_spent(spent, budget, f"{spent:.0f} s of at most {budget:.0f} s")]


def _heading(found: Explanation) -> str:
    epoch = with_interval(found.epoch_seconds, milliseconds)
    return f"{found.workload} on {found.backend}: an epoch by fit takes {epoch} ms."


def _parts(found: Explanation) -> TextTable:
    epoch_seconds = found.epoch_seconds.value
    rows = [
        (
            each.name,
            with_interval(each.epoch_seconds, milliseconds),
            _percent(each.epoch_seconds.value / epoch_seconds),
            each.evidence,
        )
        for each in found.parts
    ]
    seen = f"; {whole(found.samples)} samples" if found.samples else ""
    return TextTable(
        (
            Head("part"),
            Head("ms of an epoch", numeric=True),
            Head("share", numeric=True),
            Head("how it is known", rank=1),
        ),
        rows,
        title="Where it goes",
        caption=f"the parts add up to the epoch; 95 % intervals{seen}",
    )


def _functions(found: Explanation) -> TextTable:
    return TextTable(
        (
            Head("function"),
            Head("file", rank=2),
            Head("layer", rank=1),
            Head("share", numeric=True),
        ),
        [(_short(each.name), each.file, each.layer, _share(each)) for each in found.functions],
        title="The functions that cost most",
        caption="of the samples of fit, by innermost Python function; what C it calls is its own",
    )


def _tries(found: Explanation) -> TextTable:
    measured = [each for each in found.tries if each.times_as_fast is not None]
    return TextTable(
        (
            Head("instead of fit as it is"),
            Head("times as fast", numeric=True),
            Head("surely"),
            Head("first epoch, s", numeric=True, rank=1),
            Head("pays from epoch", numeric=True),
        ),
        [_row(each) for each in measured],
        title="What was tried",
        caption="epoch by fit ÷ its epoch, with 95 % intervals; it pays from that epoch on, its"
        " first one and its start counted",
    )


def _row(found: Try) -> tuple[str, ...]:
    assert found.times_as_fast is not None
    pays = found.pays_from
    name = f"{found.name} (another training)" if found.other_training else found.name
    return (
        name,
        ratio_text(found.times_as_fast),
        _word(found),
        "" if found.first_epoch_seconds is None else in_seconds(found.first_epoch_seconds),
        whole(pays.epochs) if pays is not None and found.is_surely_faster else "",
    )


def _word(found: Try) -> str:
    estimate = found.times_as_fast
    if found.is_surely_faster:
        return "faster"
    return "slower" if estimate is not None and estimate.is_below_one else "undecided"


def _ending(run: Run) -> str:
    reasons = {
        "precise": "Everything is known as well as was asked",
        "budget": f"No further process fits the budget of {run.settings.budget_seconds or 0:g} s"
        " (a larger --budget narrows the intervals)",
        "failed": "Training by fit failed",
        "interrupted": "INCOMPLETE: the measuring was interrupted",
    }
    rounds = "1 round" if run.rounds == 1 else f"{run.rounds} rounds"
    return f"{reasons[run.stopped]}, after {rounds}."


def _share(found: Share) -> str:
    return with_interval(found.share, _percent)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _short(function: str) -> str:
    """Return a function's name without those of the functions that it is within."""
    return function.rpartition("<locals>.")[2]
