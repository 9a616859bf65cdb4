"""What the sections of every page are put together from."""

from collections.abc import Sequence

from keras_bench.analyze.diagnosis import diagnose
from keras_bench.analyze.words import Words
from keras_bench.records import ArmResult, Machine, Surroundings
from keras_bench.report import findings
from keras_bench.report.markdown import described
from keras_bench.report.page.content import Figure, Grid, Lines, Section
from keras_bench.report.page.weather_figures import weather_figure
from keras_bench.report.text_table import TextTable

EPOCHS_NOTE = (
    "Each numbered stroke is a process from left to right, and each point {a_time}. Triangles are"
    " the first {one} and the warm-up, which don't count; those slower than the scale lie at its"
    " upper edge. The dotted line is the {one} of the table."
)

Block = Lines | Grid | Figure


def epoch_parts(words: Words, figures: Sequence[Figure]) -> list[Section]:
    """Return these plots of single times in a section, none where there are none."""
    if not figures:
        return []
    note = EPOCHS_NOTE.format(one=words.one, a_time=words.a_time)
    return [Section(f"Every {words.kept} as it came", [Lines([note]), *figures])]


def weather_part(group: Sequence[ArmResult]) -> Section:
    """Return what the machine did while these were measured; empty where that isn't known."""
    return Section("The machine meanwhile", known(weather_figure(group)))


def origin(machine: Machine, surroundings: Surroundings | None, facts: Sequence[str]) -> Section:
    """Return the machine and what was seen of it, so that a page stands by itself."""
    blocks: list[Block] = [Lines([*facts, described(machine)], "list")]
    if surroundings is None:
        blocks.append(Lines(["What went on around this run wasn't kept when it was measured."]))
    else:
        caption = "What was seen of the machine when it began"
        blocks.append(text_grid(findings.findings_table(diagnose(surroundings), caption)))
    return Section("Where this comes from", blocks)


def warnings(surroundings: Surroundings | None) -> list[Lines]:
    """Return what spoilt timings when they were measured."""
    if surroundings is None:
        return []
    said = [findings.warning(each) for each in diagnose(surroundings) if each.spoils]
    return [Lines(said, "warning")] if said else []


def text_grid(table: TextTable) -> Grid:
    """Return a table whose figures are downloaded as they are written."""
    names = [title or "finding" for title in table.titles]
    return Grid(table, [dict(zip(names, texts, strict=True)) for texts in table.rows])


def known(figure: Figure | None) -> list[Figure]:
    """Return a plot as blocks, none where there was nothing to draw."""
    return [] if figure is None else [figure]
