"""What a page says. How it looks and works is tested in a browser, beside this."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from builders import (
    AGREES,
    CALLS_PER_BLOCK,
    DIFFERS,
    ENVIRONMENT,
    failure,
    gate,
    in_slices,
    predicted,
    result,
    run,
    sample,
    side,
    two_sides,
)
from comparing_builders import measured_arm, measured_run_of
from history_builders import history_rows_of

from keras_bench.analyze.answer import answer, ending
from keras_bench.analyze.compared import compare, compare_across_machines
from keras_bench.analyze.compared_answer import answer as compared_answer
from keras_bench.analyze.compared_answer import worth
from keras_bench.analyze.comparison import tables
from keras_bench.analyze.diagnosis import diagnose
from keras_bench.analyze.gate_answer import answer as gate_answer
from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.shifts import find_series
from keras_bench.analyze.sweep import sweep
from keras_bench.records import Parity, Surroundings
from keras_bench.report import findings
from keras_bench.report import sweep as sweep_tables
from keras_bench.report.columns import DETAILS, SPEED, remarks, text_table
from keras_bench.report.history import shift_sentence
from keras_bench.report.page.change_sections import (
    compared_section,
    gate_sections,
    history_section,
    is_sweep,
)
from keras_bench.report.page.document import render
from keras_bench.report.page.run_sections import run_sections

BUSY = Surroundings(2, None, 34.0, None, None, None, (), (), ())
CALM = replace(BUSY, busy_percent=1.0)
LOSSES = (0.7, 0.5, 0.4)
CHECKED = Parity("agrees", "it agrees to rounding", LOSSES, LOSSES)


class Reader(HTMLParser):
    """The texts of a page by the elements that they stand in, without scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.texts, self.rows, self.tags = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "br"):
            self.inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag, tag

    def handle_data(self, data):
        if {"script", "style"} & set(self.inside):
            return
        if {"td", "th"} & set(self.inside):
            self.rows[-1][-1] += data.strip()
        elif data.strip():
            self.texts.append(data.strip())


def read(*sections):
    return Reader(render("Title", "subtitle", sections))


def stored(text, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text)
    return json.loads(found.group(1))


def two_backends(**changes):
    return run(
        result("jax", *[0.1] * 4, parity=CHECKED), result("torch", *[0.2] * 4, parity=CHECKED),
        **changes,
    )  # fmt: skip


def test_it_says_what_the_terminal_says():
    measured = two_backends()
    compared = tables(measured)
    page = read(*run_sections(measured))
    assert {answer(compared[0]), ending(measured, compared)} <= set(page.texts)
    for columns in (SPEED, DETAILS):
        assert text_table(compared[0], columns).titles in page.rows
        assert all(texts in page.rows for texts in text_table(compared[0], columns).rows)


def test_what_is_to_be_said_beside_the_figures_is_a_warning():
    odd = run(
        result("jax", 0.1, 0.1, failure=failure()), result("torch", 0.2, 0.2, parity=DIFFERS),
        complete=False, stopped="interrupted",
    )  # fmt: skip
    page = read(*run_sections(odd))
    assert set(remarks(tables(odd)[0])) <= set(page.texts)
    assert any(text.startswith("Incomplete") for text in page.texts)


@pytest.mark.parametrize(
    "results",
    [
        [result("jax")],
        [result("jax"), result("torch", failure=failure())],
        [result("jax", 0.1)],
        [result("jax", sample(epoch_seconds=(0.2,))), result("torch", 0.1)],
        [result("jax", sample(losses=(0.5,) * 10)), result("torch", *[0.1] * 9)],
        [result("jax", 0.1, 0.1, workload="one"), result("torch", 0.1, workload="other")],
        [result("jax", 0.1, parity=CHECKED), result("torch", 0.1, parity=AGREES)],
        [
            result("jax", 0.1, parity=Parity("differs", "it parts", (0.0, 1.0), (0.0,))),
            result("torch", 0.1),
        ],
    ],
    ids=[
        "nothing measured", "all failed", "one process", "one epoch", "all equal", "two workloads",
        "half checked", "a loss of 0",
    ],
)  # fmt: skip
def test_whatever_was_measured_has_a_page(results):
    assert "In short" in read(*run_sections(run(*results))).texts


def test_what_was_measured_in_slices_shows_what_the_machine_did_meanwhile():
    jax, torch = (
        result(backend, *(in_slices(each, round=n) for n, each in enumerate(seconds, start=1)))
        for backend, seconds in (("jax", (0.1, 0.12)), ("torch", (0.2, 0.24)))
    )
    before, after = (
        replace(each, arm=replace(jax.arm, environment=replace(ENVIRONMENT, label=label)))
        for each, label in ((jax, "baseline"), (torch, "candidate"))
    )
    for sections in (run_sections(run(jax, torch)), gate_sections(gate(before, after))):
        page = render("", "", sections)
        assert "The machine meanwhile" in Reader(page).texts
        assert "over all rounds: from 0.91 to 1.10 of it" in page
    assert "The machine meanwhile" not in read(*run_sections(two_backends())).texts


@pytest.mark.parametrize("changes", [{"failure": failure()}, {"parity": DIFFERS}], ids=str)
def test_what_does_not_count_has_no_line_among_whole_trainings(changes):
    odd = replace(result("tensorflow", *[0.3] * 4), **changes)
    measured = run(*two_backends().results, odd)
    records = stored(render("", "", run_sections(measured)), "records")
    (totals,) = [rows for rows in records.values() if rows and "training_seconds" in rows[0]]
    assert {row["contender"] for row in totals} == {"jax", "torch"}


def test_a_prediction_has_blocks_of_calls_and_no_losses():
    measured = run(predicted("numpy", *[0.1] * 3), predicted("openvino", *[0.2] * 3))
    text = render("", "", run_sections(measured))
    texts = Reader(text).texts
    assert {"Every block of calls as it came", "First call", "Parity"} <= set(texts)
    assert not {"Losses", "First call, and break-even"} & set(texts)
    assert any("each point the mean of a block of calls" in each for each in texts)
    (numpy, _) = [rows for rows in stored(text, "records").values() if "process" in rows[0]
                  and "epoch" in rows[0]]  # fmt: skip
    assert {(row["steady"], row["calls_per_block"]) for row in numpy} == {
        (True, CALLS_PER_BLOCK),
        (False, None),
    }


def test_a_training_has_epochs_and_no_calls():
    text = render("", "", run_sections(two_backends()))
    assert any("each point the time of an epoch" in each for each in Reader(text).texts)
    assert "calls_per_block" not in json.dumps(stored(text, "records"))


def test_an_uncounted_epoch_faster_than_all_others_is_on_the_scale():
    quick_second = sample(epoch_seconds=(0.9, 0.01, 0.1, 0.11))
    text = render("", "", run_sections(run(result("jax", quick_second, quick_second))))
    (epochs,) = [
        plot
        for plot in stored(text, "plots")["plots"].values()
        if plot["description"].startswith("Every epoch of")
    ]
    low, high = epochs["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert low < 10 < 110 < high < 900


def test_names_of_others_stay_texts():
    evil = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
    measured = run(
        result("jax", 0.1, 0.11, workload=evil, parity=CHECKED),
        result("torch", 0.2, 0.21, workload=evil, parity=replace(CHECKED, summary=evil)),
    )
    text = render(evil, evil, run_sections(measured))
    page = Reader(text)
    assert evil in page.texts
    assert "img" not in [tag for tag, _ in page.tags]
    assert [tag for tag, _ in page.tags].count("script") == 4
    descriptions = [each["description"] for each in stored(text, "plots")["plots"].values()]
    assert any(evil in each for each in descriptions)


def test_it_needs_nothing_but_itself():
    page = read(*run_sections(two_backends()))
    assert not [tag for tag, attributes in page.tags if "src" in attributes]
    links = [attributes["href"] for tag, attributes in page.tags if "href" in attributes]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    (policy,) = [
        attributes["content"]
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")


def test_every_metric_has_a_plot_of_its_epochs():
    values = (None, 0.5, None, 0.25)
    measured = run(result("jax", sample(epochs=4, metrics={"val_loss": values}), 0.1))
    text = render("", "", run_sections(measured))
    assert "val_loss after each epoch of the first timed training: jax ends at 0.2500" in text
    drawn = [
        (row["epoch"], row["value"])
        for rows in stored(text, "records").values()
        for row in rows
        if row.get("metric") == "val_loss"
    ]
    assert drawn == [(2, 0.5), (4, 0.25)]


def test_every_epoch_can_be_downloaded():
    measured = two_backends()
    records = stored(render("", "", run_sections(measured)), "records")
    epochs = [
        row["epoch_seconds"]
        for rows in records.values()
        for row in rows
        if {"process", "epoch", "epoch_seconds"} <= row.keys()
    ]
    kept = [
        seconds
        for each in measured.results
        for sample in each.samples
        for seconds in sample.epoch_seconds
    ]
    assert epochs == kept


def test_the_losses_of_the_check_lie_over_the_reference():
    text = render("", "", run_sections(two_backends()))
    series = [
        rows for rows in stored(text, "records").values() if rows and "running_loss" in rows[0]
    ]
    (rows,) = series
    for backend in ("reference", "jax", "torch"):
        found = tuple(row["running_loss"] for row in rows if row["contender"] == backend)
        assert found == LOSSES


def test_a_run_without_kept_losses_has_none_of_the_check():
    unkept = run(result("jax", 0.1, parity=AGREES), result("torch", 0.2, parity=AGREES))
    text = render("", "", run_sections(unkept))
    assert "running_loss" not in json.dumps(stored(text, "records"))
    assert AGREES.summary in Reader(text).texts


def test_what_spoilt_timings_stands_at_the_top_and_all_that_was_seen_at_the_end():
    page = read(*run_sections(two_backends(surroundings=BUSY)))
    said = [findings.warning(each) for each in diagnose(BUSY) if each.spoils]
    assert said
    assert page.texts.index(said[0]) < page.texts.index("Details")
    assert all(findings.findings_table([each]).rows[0] in page.rows for each in diagnose(BUSY))


def test_a_calm_machine_is_no_warning_and_one_not_looked_at_is_said():
    calm, unknown = (
        Reader(render("", "", run_sections(two_backends(surroundings=each))))
        for each in (CALM, None)
    )
    # What stands there is for a browser without JavaScript.
    assert [attributes.get("class") for _, attributes in calm.tags].count("warning") == 1
    assert "What went on around this run wasn't kept when it was measured." in unknown.texts


def test_a_gate_says_its_verdicts():
    measured = gate(*two_sides([0.1] * 9))
    page = read(*gate_sections(measured))
    assert not is_sweep(measured)
    (pair,) = pairs(measured)
    assert gate_answer(pair, measured.settings.threshold) in page.texts


def test_a_sweep_shows_every_version():
    measured = gate(
        side("keras 1", *[0.1] * 5), side("keras 2", *[0.2] * 5), side("keras 3", failure=failure())
    )
    page = read(*gate_sections(measured))
    assert is_sweep(measured)
    assert all(sweep_tables.sweep_table([row]).rows[0] in page.rows for row in sweep(measured))
    assert set(sweep_tables.remarks(sweep(measured)[2])) <= set(page.texts)


def test_two_runs_that_compare_are_judged_as_compare_does():
    before = measured_run_of(measured_arm("jax", 0.05, 0.051, 0.052))
    after = measured_run_of(
        measured_arm("jax", 0.06, 0.061, 0.062), source="after", started_utc="2026-02-01T00:00:00Z"
    )
    found = compare(before, after, (), 0.05)
    page = read(compared_section(found))
    assert {worth(found), compared_answer(found.pairs[0], found)} <= set(page.texts)


def test_of_runs_that_cannot_be_compared_it_says_why():
    before = measured_run_of(measured_arm("jax", 0.05, 0.051, 0.052))
    after = replace(before, threads="single", started_utc="2026-02-01T00:00:00Z")
    found = compare_across_machines(before, after, 0.05)
    page = read(compared_section(found))
    assert worth(found) in page.texts
    assert "threads default → single" in worth(found)


def test_a_history_has_its_shifts_and_what_was_left_out():
    series = find_series(history_rows_of([0.0] * 10 + [0.3] * 10))
    page = read(history_section(series, ["line 7: left out"]))
    (shift,) = series[0].shifts
    assert {shift_sentence(shift), "line 7: left out"} <= set(page.texts)


def test_a_history_of_both_tasks_has_a_plot_and_a_table_for_each():
    rows = [
        *history_rows_of([0.0] * 10),
        *history_rows_of([0.0] * 10, task="predict", loop="predict"),
    ]
    text = render("", "", [history_section(find_series(rows), ())])
    heads = [row for row in Reader(text).rows if row[0] == "series"]
    times = sorted(title for row in heads for title in row if title.endswith(", ms"))
    assert times == ["call, ms", "epoch, ms"]
    plots = stored(text, "plots")["plots"].values()
    for one, a_one in (("epoch", "an epoch"), ("call", "a call")):
        (plot,) = [each for each in plots if each["description"].startswith(f"Time of {a_one} of")]
        assert f'"{one}, ms"' in json.dumps(plot)
        assert len([each for each in plots if f'"{one}, ms"' in json.dumps(each)]) == 1


def test_without_a_history_there_is_no_section():
    assert history_section((), ()) is None
