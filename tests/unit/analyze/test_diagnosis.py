from dataclasses import replace

import pytest

from keras_bench.analyze.diagnosis import diagnose, without_folders
from keras_bench.records import Surroundings

QUIET = Surroundings(
    usable_cores=4,
    cpu_quota_cores=None,
    busy_percent=1.0,
    steal_percent=0.0,
    governor="performance",
    on_battery=False,
    thread_variables=(),
    observers=(),
    crowded=(),
)


def test_a_quiet_machine_has_nothing_that_spoils():
    assert not [finding for finding in diagnose(QUIET) if finding.spoils]


@pytest.mark.parametrize(
    ("change", "subject", "seen"),
    [
        ({"busy_percent": 40.0}, "load", "40 %"),
        ({"usable_cores": 1}, "cores", "1 usable core"),
        ({"cpu_quota_cores": 1.5}, "CPU quota", "1.5 of 4 cores"),
        ({"governor": "powersave"}, "frequency governor", "powersave"),
        ({"steal_percent": 5.0}, "steal time", "5.0 %"),
        ({"on_battery": True}, "power", "on battery"),
        ({"thread_variables": ("OMP_NUM_THREADS",)}, "thread variables", "OMP_NUM_THREADS"),
        ({"observers": ("py-spy",)}, "debugger or profiler", "py-spy"),
        ({"crowded": (("py", ("jax", "torch")),)}, "environment", "py holds jax, torch"),
        (
            {"distributions": (("py", "keras", ("keras-nightly", "keras")),)},
            "distribution",
            "py has keras from keras-nightly over keras",
        ),
    ],
)
def test_each_thing_that_spoils_is_named_with_a_remedy(change, subject, seen):
    (finding,) = [finding for finding in diagnose(replace(QUIET, **change)) if finding.spoils]
    assert finding.subject == subject
    assert seen in finding.seen
    assert finding.remedy


def test_what_the_system_does_not_tell_spoils_nothing():
    unknown = replace(QUIET, steal_percent=None, governor=None, on_battery=None)
    assert not [finding for finding in diagnose(unknown) if finding.spoils]


def test_an_unusual_distribution_is_told_and_spoils_nothing():
    seen = replace(QUIET, distributions=(("py", "keras", ("keras-nightly",)),))
    finding = diagnose(seen)[-1]
    assert (finding.spoils, finding.seen) == (False, "py has keras from keras-nightly")


def test_what_is_kept_of_it_names_no_folder():
    python, names = "/home/me/python", ("keras-nightly", "keras")
    seen = replace(
        QUIET, crowded=((python, ("jax", "torch")),), distributions=((python, "keras", names),)
    )
    kept = without_folders(seen)
    assert kept.crowded == (("an interpreter", ("jax", "torch")),)
    assert kept.distributions == (("an interpreter", "keras", names),)
    assert [each.spoils for each in diagnose(kept)] == [each.spoils for each in diagnose(seen)]
