"""The JavaScript that draws the plots in the browser, as the package carries it.

`docs/scripts/bundle_vega.py` makes `assets/vega.js` of Vega, Vega-Lite and vega-embed, and
`assets/vega-licences.txt` of their licences and those of all that they depend on.
"""

import re
from functools import cache
from importlib.resources import files

import altair

ASSETS = files("keras_bench.report.page") / "assets"


@cache
def script() -> str:
    """Return it as the text of a script, below a comment with the licences."""
    licences, code = (
        (ASSETS / name).read_text(encoding="utf-8") for name in ("vega-licences.txt", "vega.js")
    )
    return f"/*\n{licences}*/\n{code}"


@cache
def vega_lite_release() -> str:
    """Return the release of Vega-Lite that it holds; the first line of the code names it."""
    found = re.search(r"^// .*\bvega-lite ([\d.]+)", script(), re.MULTILINE)
    assert found is not None
    return found[1]


def mismatch(written_for: str = altair.SCHEMA_VERSION) -> str | None:
    """Say that Altair writes plots for another Vega-Lite than draws them; None where it doesn't.

    Within a major release the plots of a page mean the same. Altair's is Vega-Lite's.
    """
    wanted, held = written_for.removeprefix("v"), vega_lite_release()
    major = int(held.partition(".")[0])
    if int(wanted.partition(".")[0]) == major:
        return None
    return (
        f"The installed Altair writes plots for Vega-Lite {wanted}, and {held} draws them, so they"
        f' may look wrong; after `python -m pip install "altair=={major}.*"`, `keras-bench report`'
        " makes them anew."
    )
