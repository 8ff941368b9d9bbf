"""The difference between two files that are one input is named as a person would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from image_worlds import landscape, save

from presheaf.audits.image_causes import image_causes

PIXELS = landscape(64, 64, 3)


def test_each_cause_by_hand(tmp_path: Path) -> None:
    base = save(PIXELS, tmp_path / "base.png")
    grey = (PIXELS @ [0.299, 0.587, 0.114]).astype(np.uint8)
    border = PIXELS.copy()
    border[:3] = 0
    spot = PIXELS.copy()
    spot[32, 32] ^= 3
    larger = PIXELS.repeat(2, axis=0).repeat(2, axis=1)
    other = landscape(90, 64, 9)
    pairs = {
        ("file format",): (base, save(PIXELS, tmp_path / "same.bmp")),
        ("colour",): (save(np.full((9, 9, 3), (76, 76, 76), np.uint8), tmp_path / "g.png"),
                      save(np.full((9, 9, 3), (255, 0, 0), np.uint8), tmp_path / "r.png")),
        ("crop",): (base, save(border, tmp_path / "border.png")),
        ("size",): (base, save(larger, tmp_path / "larger.png")),
        ("fine detail",): (base, save(spot, tmp_path / "spot.png")),
    }  # fmt: skip
    for expected, (a, b) in pairs.items():
        assert image_causes(a, b) == expected
        assert image_causes(b, a) == expected
    stored_grey = save(grey, tmp_path / "one.png"), save(np.dstack([grey] * 3), tmp_path / "three.png")
    assert image_causes(*stored_grey) == ("file format",)
    assert image_causes(base, save(other, tmp_path / "other.png")) == ("crop",)
    assert image_causes(base, str(tmp_path / "gone.png")) == ()
