"""The page as a reader sees it, in a Chromium without a window."""

import csv
import io
import json
from dataclasses import replace
from itertools import pairwise

import pytest
from builders import AGREES, gate, result, run, sample, side
from chromium import ALL_DRAWN
from history_builders import history_rows_of

from keras_bench.analyze.shifts import find_series
from keras_bench.records import Parity
from keras_bench.report.page.change_sections import gate_sections, history_section
from keras_bench.report.page.document import render
from keras_bench.report.page.run_sections import run_sections

#: The least size of text that is read without effort, in pixels.
LEAST_TEXT = 12

LOSSES = (0.7, 0.5, 0.4)
EPOCHS = (0.9, 0.3, 0.11, 0.1, 0.12)
RUN = run(
    *(
        result(
            backend,
            *[
                sample(
                    epoch_seconds=tuple(factor * (1 + 0.01 * number) * each for each in EPOCHS),
                    peak_rss_bytes=400_000_000 + number,
                )
                for number in range(4)
            ],
            parity=Parity("agrees", f"{backend} agrees to rounding", LOSSES, LOSSES),
        )
        for backend, factor in (("jax", 1.0), ("tensorflow", 3.0), ("torch", 10.0))
    )
)
SWEEP = gate(side("keras 1", *[0.1] * 5), side("keras 2", *[0.2] * 5))
SERIES = find_series(history_rows_of([0.0] * 10 + [0.3] * 10))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    sections = [*run_sections(RUN), *gate_sections(SWEEP), history_section(SERIES, ())]
    file.write_text(render("Which backend?", "on this machine", sections), encoding="utf-8")
    return file


@pytest.fixture
def open_page(browser, file):
    """Open a page in a window of its own, and see to it that it says and asks nothing."""
    contexts, complaints = [], []

    def heard(request):
        # What the page makes of its own figures stays within it.
        if not request.url.startswith((file.as_uri(), "data:", "blob:")):
            complaints.append(request.url)

    def start(path=file, width=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if path == file:
            page.on("request", heard)
        page.goto(path.as_uri())
        page.wait_for_function(ALL_DRAWN)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def plot(page, beginning):
    """Return the only plot whose description begins so."""
    found = page.locator(f".plot[aria-label^={json.dumps(beginning)}]")
    assert found.count() == 1, beginning
    return found


def marks(plot, kind):
    """Count the marks of a kind that a reader sees, in the plot and not in its legend."""
    return plot.locator(f".mark-{kind}.role-mark > *:not(.background)").count()


def test_it_opens_from_disk_without_a_word_to_the_console_or_the_network(open_page):
    page = open_page()
    assert page.title() == "Which backend?"
    assert page.locator(".plot svg").count() == page.locator("figure").count() > 8


def test_every_backend_has_its_dot_and_interval(open_page):
    ratios = plot(open_page(), "Time of an epoch of net as a ratio to the fastest")
    assert marks(ratios, "symbol") == 3
    assert marks(ratios, "text") == 3
    # The fastest has no interval, and one line stands at 1.
    assert marks(ratios, "rule") == 2 + 1


def test_of_several_loops_there_is_a_bar_per_backend_with_each_loop_on_it(open_page, tmp_path):
    known = run(
        *(result(name, *[0.1] * 3) for name in ("jax", "torch")),
        *(result(name, *[0.01] * 3, loop="fused") for name in ("jax", "torch")),
        result("jax", *[0.009] * 3, loop="bare"),
    )
    file = tmp_path / "loops.html"
    file.write_text(render("Loops", "", run_sections(known)), encoding="utf-8")
    loops = plot(open_page(file), "Time of an epoch of net by each loop, a bar per backend")
    assert marks(loops, "rect") == 2
    assert marks(loops, "symbol") == 5
    # Above the bars, and then below them.
    assert loops.locator(".mark-text.role-mark text").all_text_contents() == [
        "bare", "fused", "fit", "fused", "fit",
    ]  # fmt: skip


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_every_epoch_has_a_mark(open_page, backend):
    epochs = plot(open_page(), f"Every epoch of net on {backend}")
    assert marks(epochs, "line") == 4
    assert marks(epochs, "symbol") == 4 * len(EPOCHS)


def test_the_other_plots_have_a_mark_for_what_they_show(open_page):
    page = open_page()
    first = plot(page, "The first epoch of net")
    assert marks(first, "symbol") == 2 * 3
    assert marks(plot(page, "Peak resident memory"), "symbol") == 3 * 4
    assert marks(plot(page, "Seconds that a whole training"), "line") == 3
    assert marks(plot(page, "Running loss after each step"), "line") == 3 + 1
    assert marks(plot(page, "loss after each epoch"), "line") == 3
    assert marks(plot(page, "Time of an epoch of net by version"), "symbol") == 2
    history = plot(page, "Time of an epoch of net in every run")
    assert marks(history, "symbol") == 20
    assert marks(history, "rule") == 2 + 20


def test_the_backend_alone_has_a_line_of_its_own_beside_a_name_with_commas(open_page, tmp_path):
    name = "net(units=32, batch_size=1)"
    file = tmp_path / "gate.html"
    measured = gate(
        *(side(label, *[0.1] * 5, workload=name) for label in ("baseline", "candidate"))
    )
    file.write_text(render("", "", gate_sections(measured)), encoding="utf-8")
    label = plot(open_page(file), "Candidate").locator(".role-axis-label text")
    texts = label.filter(has_text="net").locator("tspan").all_text_contents()
    assert texts == [name, "jax"]


def column(table, place):
    return table.locator(f"tbody tr td:nth-child({place})").all_inner_texts()


def test_a_click_sorts_a_table_and_another_turns_it(open_page):
    page = open_page()
    table = page.locator("table").first
    head = table.locator("th", has_text="epoch, ms")
    assert head.get_attribute("aria-sort") is None
    rows = column(table, 1)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(table, 1) == rows
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(table, 1) == rows[::-1]
    assert page.locator("#status").inner_text().endswith("epoch, ms, descending")


def test_the_keyboard_sorts_as_well_and_one_column_at_a_time(open_page):
    page = open_page()
    table = page.locator("table").first
    buttons = table.locator("th button")
    for place, key in ((2, "Enter"), (0, "Space")):
        buttons.nth(place).focus()
        page.keyboard.press(key)
    sorted_by = [each.get_attribute("aria-sort") for each in table.locator("th").all()]
    assert sorted_by == ["ascending", *[None] * (len(sorted_by) - 1)]


def test_numbers_are_sorted_as_numbers_and_all_else_stays_below(open_page):
    page = open_page()
    table = page.locator("table").first
    given = ["1,200", "failed", "900", "", "41,129 (3 to 4)", "not measured", "1,000"]
    page.evaluate(
        """(texts) => {
          const body = document.querySelector("table tbody");
          const [first] = body.rows;
          body.replaceChildren(...texts.map((text) => {
            const row = first.cloneNode(true);
            row.cells[4].textContent = text;
            return row;
          }));
        }""",
        given,
    )
    button = table.locator("th button").nth(4)
    button.click()
    numbers, others = ["900", "1,000", "1,200", "41,129 (3 to 4)"], ["failed", "", "not measured"]
    assert column(table, 5) == numbers + others
    button.click()
    assert column(table, 5) == numbers[::-1] + others


def downloaded(page, button):
    with page.expect_download() as download:
        button.click()
    return download.value.path().read_bytes().decode()


def test_the_figures_of_a_plot_come_as_csv_and_json(open_page):
    page = open_page()
    figure = page.locator("figure", has=plot(page, "Every epoch of net on jax"))
    records = json.loads(downloaded(page, figure.locator("[data-download=json]")))
    rows = list(
        csv.DictReader(io.StringIO(downloaded(page, figure.locator("[data-download=csv]"))))
    )
    kept = [seconds for each in RUN.results[0].samples for seconds in each.epoch_seconds]
    assert [each["epoch_seconds"] for each in records] == kept
    assert [float(each["epoch_seconds"]) for each in rows] == kept
    assert [each.keys() for each in rows] == [each.keys() for each in records]


def test_all_figures_come_at_once(open_page):
    page = open_page()
    everything = json.loads(downloaded(page, page.locator("footer [data-download=json]")))
    assert len(everything) == page.locator("figure, table").count()
    assert any("peak_rss_bytes" in rows[0] for rows in everything.values())


def test_a_csv_cell_may_hold_anything(browser, open_page, tmp_path):
    odd = 'a, "quoted"\nname'
    file = tmp_path / "odd.html"
    measured = run(result("jax", 0.1, 0.11, workload=odd, parity=AGREES))
    file.write_text(render("", "", run_sections(measured)), encoding="utf-8")
    page = open_page(file)
    text = downloaded(page, page.locator(".block [data-download=csv]").first)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["workload"] == odd


def test_names_of_others_run_no_script(open_page, tmp_path):
    evil = '</script><script>document.title = "taken"</script><img src=x onerror="x()">'
    results = [
        replace(each, arm=replace(each.arm, workload=evil, environment=each.arm.environment))
        for each in RUN.results
    ]
    file = tmp_path / "evil.html"
    file.write_text(render("Safe", evil, run_sections(run(*results))), encoding="utf-8")
    page = open_page(file)
    assert page.title() == "Safe"
    assert page.locator("img").count() == 0
    assert page.locator("h2", has_text="<script>").count() == 1


def colours(page):
    return page.evaluate(
        """() => [
          getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.body).color,
          ...[...document.querySelectorAll(".plot .mark-symbol.role-mark path")].map(
            (each) => getComputedStyle(each).fill),
        ]"""
    )


def test_light_and_dark_have_their_own_colours_in_the_plots_too(open_page):
    light, dark = (colours(open_page(color_scheme=scheme)) for scheme in ("light", "dark"))
    assert len(light) == len(dark) > 30
    hollow = "rgba(0, 0, 0, 0)"
    same = [one for one, other in zip(light, dark, strict=True) if one == other]
    assert set(same) == {hollow}


def test_paper_is_light_whatever_the_screen_is(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert colours(page) == colours(open_page(color_scheme="light"))
    assert page.locator("nav").is_hidden()
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("width", [390, 1000])
def test_nothing_but_a_table_scrolls_sideways_and_all_text_is_legible(open_page, width):
    page = open_page(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((each) => [...each.childNodes].some(
            (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
          .filter((each) => each.getClientRects().length)
          .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
    )
    assert len(sizes) > 100
    assert min(sizes) >= LEAST_TEXT


def test_the_ratio_is_on_the_screen_of_a_telephone(open_page):
    heads = open_page(width=390).locator("th", has_text="ratio").all()
    boxes = [box for head in heads[:2] if (box := head.bounding_box()) is not None]
    assert len(boxes) == 2
    assert all(box["x"] + box["width"] <= 390 for box in boxes)


def test_a_narrow_window_makes_the_plots_narrow(open_page):
    widths = [
        open_page(width=width).locator(".plot svg").first.bounding_box()["width"]
        for width in (390, 1000)
    ]
    assert widths[0] < 390 < widths[1]


def test_a_screen_reader_finds_its_way(open_page):
    page = open_page()
    assert page.locator("html").get_attribute("lang") == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert page.locator(landmark).count() == 1
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for each in page.locator(".plot").all():
        assert each.get_attribute("role") == "graphics-document"
        assert len(each.get_attribute("aria-label")) > 20
    names = page.evaluate(
        "[...document.querySelectorAll('button, a')].map((each) => each.textContent.trim())"
    )
    assert all(names)
    assert page.locator("table caption").count() == page.locator("table").count()
    links = [each.get_attribute("href") for each in page.locator("nav a").all()]
    assert all(page.locator(link).count() == 1 for link in links)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))


def test_a_backend_has_one_colour_and_one_shape_everywhere(open_page):
    page = open_page()
    looks = {}
    for beginning in ("Time of an epoch of net as a ratio", "Peak resident memory"):
        for mark in plot(page, beginning).locator(".mark-symbol.role-mark path").all():
            (backend,) = (
                each
                for each in ("jax", "tensorflow", "torch")
                if f"backend: {each}" in mark.get_attribute("aria-label")
            )
            shape = "".join(c for c in mark.get_attribute("d") if c.isalpha())
            looks.setdefault(backend, set()).add((mark.get_attribute("fill"), shape))
    assert all(len(each) == 1 for each in looks.values())
    assert len(set.union(*looks.values())) == 3
    assert len({shape for each in looks.values() for _, shape in each}) == 3


def test_without_javascript_the_tables_and_sentences_are_there(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("table").first.is_visible()
    assert page.locator(".answer").first.is_visible()
    context.close()
