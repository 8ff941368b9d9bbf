"""Every face shows a result whatever its numbers are: an audit of an hour must not end in a page that can't be drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.report import to_html, to_json, to_text
from presheaf.report.axis import Axis

SAMPLES = {"audit": samples.RICH, "language": samples.LANGUAGE, "comparison": samples.MIXED}
EXTREMES = (0.0, 1.0, 7.3, 1e6, -3.0, 1e-12)


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to the floats of a result."""
    if isinstance(value, float):
        yield path
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple | list):
        for i, item in enumerate(value):
            yield from numbers(item, (*path, i))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: float) -> Any:
    """The result with another number at the end of the path."""
    if not path:
        return new
    head, *rest = path
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{head: replaced(getattr(value, head), tuple(rest), new)})
    if isinstance(value, dict):
        return {**value, head: replaced(value[head], tuple(rest), new)}
    items = [*value[:head], replaced(value[head], tuple(rest), new), *value[head + 1 :]]
    return tuple(items) if isinstance(value, tuple) else items


PATHS = {name: list(numbers(result)) for name, result in SAMPLES.items()}


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_number_keeps_a_result_from_being_shown(name: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS[name]))
    changed = replaced(SAMPLES[name], path, data.draw(st.sampled_from(EXTREMES)))
    for face in (to_text, to_html, to_json):
        assert face(changed)


def test_a_prompt_curve_far_above_its_scale_is_drawn() -> None:
    why = samples.WHY
    far = tuple(
        dataclasses.replace(p, rho_low=8 * why.setting.scale, rho_high=9 * why.setting.scale) for p in why.curve
    )
    page = to_html(dataclasses.replace(samples.RICH, why=dataclasses.replace(why, curve=far)))
    assert "Prompt curve: theory and measurement" in page


@given(start=st.floats(-5, 5), span=st.floats(1e-3, 1e6), most=st.integers(4, 12))
def test_ticks_are_few_round_and_inside(start: float, span: float, most: int) -> None:
    end = start + span
    ticks = Axis(start, end, 0, 1).ticks(most)
    assert len(ticks) <= most
    slack = 1e-6 * max(1, span)
    assert all(start - slack <= tick <= end + slack for tick in ticks)
    steps = [b - a for a, b in pairwise(ticks)]
    if steps:
        assert max(steps) - min(steps) <= 4e-6 * max(1, span)
        assert f"{max(steps):.1e}".split("e")[0] in ("1.0", "2.0", "5.0")
