"""The page of compare-categories on a phone and on a desk: folded lists, stated counts, nothing wider than the screen."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import presheaf as ps
from presheaf.audits.category_result import CategoryComparison
from presheaf.models.vectors import VectorModel
from presheaf.report import to_html, write
from presheaf.tables.task import Task

TEXT = "a review that is long enough to take several lines on a phone and is followed by further words about it "


@pytest.fixture(scope="module")
def comparison() -> CategoryComparison:
    """Two unrelated models, so that every list is as long as it gets."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, 3], 75).astype(np.int32)
    x = (np.eye(16)[labels] + 0.05 * rng.standard_normal((300, 16))).astype(np.float32)
    models = [VectorModel(f, name=name) for f, name in ((x, "before"), (x[rng.permutation(300)], "after"))]
    texts = tuple(f"{TEXT} {i}" for i in range(300))
    return ps.compare_categories(*models, Task(texts, labels, ("a", "b", "c", "d"), np.arange(1, 301)))


@pytest.fixture(scope="module")
def html(comparison: CategoryComparison) -> str:
    return to_html(comparison)


def test_a_list_shows_five_rows_and_folds_the_others(html: str) -> None:
    changed = html.split("Objects most changed")[1].split("<h2")[0]
    shown, folded = changed.split("<details>", 1)
    assert shown.count('data-name="row"') == 5
    count = folded.count('data-name="row"')
    assert f"<summary>{count} rows more</summary>" in folded
    listed = html.split("Neighbours that vote for another label")[1].split("<h2")[0]
    total = int(re.search(r"([\d,]+) objects", listed)[1].replace(",", ""))  # type: ignore[index]
    assert total > 50
    assert "Those 50 are listed" in listed


def test_rows_behind_a_changed_task_are_folded_and_counted(html: str) -> None:
    section = html.split("One prompt a label")[1].split("<h2")[0]
    assert re.search(r"<summary>[\d,]+ rows behind (<[^>]+>)*the whole task \(decision\)(<[^>]+>)*</summary>", section)
    assert "representable → " in section


@pytest.mark.parametrize("width", [400, 1280])
def test_a_page_of_long_lists_is_no_wider_than_the_screen_and_not_long(
    browser: Any, tmp_path: Any, html: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    path = tmp_path / "report.html"
    write(path, html)
    page.goto(path.as_uri())
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    wide, high = page.evaluate(size)
    assert wide <= width
    # The lists alone took 32,000 pixels at this width before they were folded.
    assert high < 12_000
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(size)[0] <= width
    assert page.evaluate(size)[1] > high
    # No table needs to be pushed sideways.
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth + 1)")
    page.close()


def test_the_card_of_a_notebook_is_no_wider_than_its_cell(comparison: CategoryComparison, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 900})
    page.set_content("<!doctype html><body>" + comparison._repr_html_())
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()
