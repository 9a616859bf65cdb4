"""Makes the pictures of the README and the pages, in docs/images/.

PYTHONPATH=tests/support python docs/scripts/screenshots.py

They show the run that the README links to, the sweep that docs/explanation/keras-releases.md
links to, and the study of slices.
It needs a Chromium and the packages of the tests (`nox -s tests` installs both where it can).
"""

import re
import shutil
import tempfile
from pathlib import Path

import write_slices
from playwright.sync_api import Browser, Page, sync_playwright

from keras_bench.commands.report import page as page_of
from keras_bench.store.stored import load

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
RESULTS = PROJECT / "results"
IMAGES = DOCS / "images"
README = PROJECT / "README.md"
RELEASES = DOCS / "explanation" / "keras-releases.md"
WIDTH, HEIGHT = 900, 760
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """Take every picture."""
    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        run, sweep = (
            _written(measured, Path(folder, f"{measured.stem}.html"))
            for measured in (_run(), _sweep())
        )
        study = Path(folder, "slices.html")
        study.write_text(write_slices.plots(), encoding="utf-8")
        for scheme in ("light", "dark"):
            page = _opened(browser, run, scheme)
            page.screenshot(path=IMAGES / f"report-{scheme}.png")
            _section(page, "Every epoch as it came", f"report-epochs-{scheme}.png")
            figure = _opened(browser, sweep, scheme).locator("figure").first
            figure.screenshot(path=IMAGES / f"report-versions-{scheme}.png")
            figure = _opened(browser, study, scheme).locator("figure").first
            figure.screenshot(path=IMAGES / f"slices-{scheme}.png")
        browser.close()


def _run() -> Path:
    return _linked(README, r"\((results/runs/.*?\.json)\)")


def _sweep() -> Path:
    return _linked(RELEASES, r"\(\.\./\.\./(results/gates/.*?\.json)\)")


def _linked(page: Path, link: str) -> Path:
    found = re.search(link, page.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"error: {page}: links to no stored results; link to them as {link}")
    return PROJECT / found[1]


def _written(measured: Path, file: Path) -> Path:
    file.write_text(page_of([(measured, load(measured))], RESULTS), encoding="utf-8")
    return file


def _opened(browser: Browser, file: Path, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.plot')].every((each) => each.querySelector('svg'))"
    )
    # Downloads are no part of a picture.
    page.add_style_tag(content=".downloads { visibility: hidden; }")
    return page


def _section(page: Page, title: str, name: str) -> None:
    """Take a section of the last workload."""
    heading = f"section:has(> h3:text-is('{title}'))"
    page.locator(heading).last.screenshot(path=IMAGES / name)


if __name__ == "__main__":
    main()
