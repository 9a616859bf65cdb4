"""An explanation as text: every part, function and try, and what is missing."""

from dataclasses import replace

from builders import UNABLE, arm, run, sample

from keras_bench.analyze.explanation import explain
from keras_bench.records import ArmResult, Frame, Profile, Stack
from keras_bench.report.explanation import markdown, print_explanation
from keras_bench.report.terminal import VisibleConsole

FIT = Frame("JAXTrainer.fit", "keras/src/backend/jax/trainer.py")
PROFILE = Profile(
    "py-spy 0.4.3",
    (
        Stack((FIT, Frame("A.<locals>.iterator_step", FIT.file)), 900),
        Stack((FIT, Frame("Callback.on_epoch_end", "keras/src/callbacks/callback.py")), 100),
    ),
)


def by(loop: str, *processes: float, **changes) -> ArmResult:
    return ArmResult(arm(loop=loop), tuple(map(sample, processes)), **changes)


RUN = run(
    by("fit", 0.1, 0.101, 0.099),
    by("fused", 0.005, 0.0051, 0.0049),
    by("fit:8", 0.2, 0.21, 0.2),
    by("batch", failure=replace(UNABLE, message="not by batch on jax: a reason")),
    by("bare", failure=replace(UNABLE, message="not by bare on jax: another reason")),
)


def test_the_page_says_where_the_epoch_goes_and_what_is_faster():
    page = markdown(explain(RUN, PROFILE, ""), RUN)
    assert "an epoch by fit takes 100 (97.5 to 102.5) ms" in page or "takes 100 (" in page
    assert "| arithmetic and Keras's own operations |" in page
    assert "1000 samples" in page
    assert "| iterator\\_step " in page or "| iterator_step " in page
    assert "90.0 %" in page
    assert "| faster" in page
    assert "| slower" in page
    assert "a reason" in page
    assert "another reason" in page


def test_without_a_profile_the_page_says_why_and_the_rest():
    page = markdown(explain(RUN, None, "py-spy isn't installed; bring it"), RUN)
    assert "no profile: py-spy isn't installed; bring it" in page
    assert "functions" not in page
    assert "| faster" in page


def test_the_terminal_says_the_same():
    console = VisibleConsole(width=120, record=True, highlight=False)
    found = explain(RUN, PROFILE, "")
    print_explanation(console, found, RUN)
    said = console.export_text()
    for row in (*found.parts, *found.tries):
        assert row.name in said
    assert "Faster than fit as it is, measured now: fused" in said


def test_what_was_interrupted_says_so():
    unfinished = replace(RUN, complete=False, stopped="interrupted")
    assert "INCOMPLETE" in markdown(explain(unfinished, None, "it was not to be"), unfinished)
