"""The JavaScript that draws the plots, which the package carries."""

import re

import altair

from keras_bench.report.page.vega import ASSETS, mismatch, vega_lite_release


def test_its_vega_lite_is_the_one_that_altair_writes_for():
    remedy = "run docs/scripts/bundle_vega.py"
    assert f"v{vega_lite_release()}" == altair.SCHEMA_VERSION, remedy


def test_the_licences_are_those_of_what_it_is_made_of():
    heading, _, _ = (ASSETS / "vega.js").read_text(encoding="utf-8").partition("\n")
    libraries = re.findall(r"vega[a-z-]* [\d.]+", heading)
    licences = (ASSETS / "vega-licences.txt").read_text(encoding="utf-8").splitlines()
    assert len(libraries) == 3
    assert set(libraries) <= set(licences)


def test_another_minor_release_draws_them_alike():
    assert mismatch("v6.1.0") is None


def test_another_major_release_is_said_with_its_remedy():
    said = mismatch("v7.0.0")
    assert said is not None
    assert said.startswith("The installed Altair writes plots for Vega-Lite 7.0.0, and 6.")
    assert '"altair==6.*"' in said
