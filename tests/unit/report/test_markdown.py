from itertools import pairwise

from builders import DIFFERS, EXPLAINED, failed_row, row, run, table, unmeasured_row
from markdown_it import MarkdownIt

from keras_bench.analyze.answer import answer, ending
from keras_bench.analyze.comparison import Table
from keras_bench.analyze.stats import Estimate
from keras_bench.records import UNCHECKED
from keras_bench.report.columns import SPEED, details, text_table
from keras_bench.report.markdown import document

WIDE = Estimate(4.20, 4.00, 4.40)
TABLE = table(row("jax"), row("tensorflow", WIDE), failed_row("torch", "net on torch: died; look"))


def parsed(text):
    return MarkdownIt().enable("table").parse(text)


def tables_in(text):
    """Return the tables that a reader of GitHub-flavoured Markdown finds, as lists of cells."""
    found = []
    for token, following in zip(tokens := parsed(text), [*tokens[1:], None], strict=True):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append(following.content)
    return found


def headings_in(text):
    tokens = parsed(text)
    return [
        following.content for token, following in pairwise(tokens) if token.type == "heading_open"
    ]


def test_both_tables_of_a_workload_are_valid_github_flavoured_markdown():
    speed, explained = tables_in(document(run(), [TABLE]))
    assert speed == [text_table(TABLE, SPEED).titles, *text_table(TABLE, SPEED).rows]
    whole = text_table(TABLE, details(TABLE))
    assert explained == [whole.titles, *whole.rows]


def test_numbers_stay_as_they_were_written():
    text = document(run(), [table(row("jax", loss=0.7, examples_per_second=1e6))])
    speed, explained = (dict(zip(*rows, strict=True)) for rows in tables_in(text))
    assert speed["examples/s"] == "1.000e6"
    assert explained["loss"] == "0.7000"


def test_every_workload_has_a_heading_and_an_answer():
    tables = [TABLE, Table("other_net", (row("jax"), row("torch", WIDE)))]
    text = document(run(), tables)
    assert headings_in(text) == [
        "Which backend trains net fastest: jax, tensorflow, and torch",
        "net",
        "other_net",
        "Where this comes from",
    ]
    for table_ in tables:
        assert f"- {answer(table_)}\n" in text
    assert text.index(answer(tables[1])) < text.index("## net")


def test_versions_and_failures_are_listed():
    text = document(run(), [TABLE])
    assert "- jax: Keras 3.15.1, jax 0.10.2, Python 3.11.7\n" in text
    assert (
        "- torch: Keras 3.15.1, torch 2.13.0, Python 3.11.7\n\n"
        "- **torch failed: net on torch: died; look**\n"
    ) in text


def test_the_machine_and_the_ending_are_told():
    text = document(run(), [TABLE])
    assert f"- {ending(run(), [TABLE])}\n" in text
    assert "- 2026-01-02T03:04:05Z, 60 s, seed 0, threads default\n" in text
    assert "- Some CPU, 4 of 8 cores, 32 GiB, Linux 6.1, fingerprint 0123abcd\n" in text


def test_only_an_incomplete_run_is_marked_as_such():
    assert "incomplete" not in document(run(), [TABLE]).lower()
    interrupted = document(run(complete=False, stopped="interrupted"), [TABLE])
    assert "**Incomplete: the run was interrupted" in interrupted
    assert interrupted.index("**Incomplete") < interrupted.index("## net")


ODD = table(
    row("jax", parity=EXPLAINED),
    row("torch", WIDE, parity=DIFFERS),
    failed_row("tensorflow", parity=UNCHECKED),
    unmeasured_row("jax"),
)


def test_the_outcome_is_the_second_column_of_both_tables():
    for found in tables_in(document(run(), [ODD])):
        assert [texts[1] for texts in found] == ["parity", "explained", "FAILED", "unchecked", "ok"]


def test_odd_parity_is_told_below_the_tables_after_the_failures():
    assert (
        "- **tensorflow failed: net on torch: died; look**\n"
        "- **parity: it differs for known reasons**\n"
        "- **parity: it parts from the reference**\n"
    ) in document(run(), [ODD])


def test_what_is_to_be_said_of_several_rows_is_said_once():
    unchecked = table(row("jax", parity=UNCHECKED), row("torch", WIDE, parity=UNCHECKED))
    text = document(run(), [unchecked])
    assert text.count("- **parity: it wasn't checked**\n") == 1


def test_where_all_agree_nothing_is_said_of_parity():
    assert "parity:" not in document(run(), [TABLE])


def test_a_workloads_name_is_no_markup():
    odd = Table("<script>*net*", TABLE.rows)
    text = document(run(), [odd])
    assert "<script>" not in text
    assert "<script>*net*" in [
        "".join(each.content for each in token.children)
        for token in parsed(text)
        if token.type == "inline"
    ]
