"""`presheaf audit` on a folder of images and on a column of file names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("PIL")
from image_worlds import digit_folder

from presheaf.cli import main


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digit_folder(tmp_path_factory.mktemp("cli") / "photos", 25, 3)


def test_a_folder(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--report", str(tmp_path / "o.html"), "--json", str(tmp_path / "o.json")]
    assert main(["audit", str(photos), "--model", "pixels", "--quiet", "--no-why", *files]) == 0
    assert "photos · 75 rows · 3 classes" in capsys.readouterr().out
    assert "<img " in (tmp_path / "o.html").read_text()
    assert json.loads((tmp_path / "o.json").read_text())["task"]["objects"] == "image"


def test_a_column_of_names(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [path.relative_to(photos) for path in sorted(photos.rglob("*.png"))]
    rows = ["path,kind", *(f"{name},{name.parent}" for name in names)]
    table = photos / "table.csv"
    table.write_text("\n".join(rows))
    columns = ["--image", "path", "--label", "kind"]
    assert main(["audit", str(table), *columns, "--model", "pixels", "--quiet", "--no-why", "--target", "0.6"]) == 0
    assert "75 rows" in capsys.readouterr().out
    assert main(["audit", str(table), *columns, "--model", "pixels", "--dry-run", "--quiet"]) == 0
    assert main(["audit", str(table), *columns, "--model", "tfidf", "--quiet"]) == 2
    assert "objects are images" in capsys.readouterr().err
    assert main(["audit", str(table), "--text", "path", "--label", "kind", "--model", "pixels", "--quiet"]) == 2
    assert "--image" in capsys.readouterr().err
    (photos / "0" / "broken.png").write_bytes(b"x")
    assert main(["audit", str(photos), "--model", "pixels", "--quiet"]) == 2
    assert "broken.png" in capsys.readouterr().err
