"""Images as objects through the whole audit: planted merges, contradictions, comparisons, and every face of the report."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from image_worlds import digit_folder, landscape, save
from PIL import Image

import presheaf as ps
from presheaf.audits.result import Audit, Finding
from presheaf.errors import InputError
from presheaf.models import ModelInfo
from presheaf.models.plain_pixels import PixelModel
from presheaf.report import from_json, rows_text, to_html, to_json, to_text
from presheaf.tables.task import Task


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits 0 to 3, with one picture under two labels, one stored twice, one coloured, one contradiction."""
    root = digit_folder(tmp_path_factory.mktemp("images") / "photos", 30, 4)
    three = next(iter(sorted((root / "3").iterdir())))
    shutil.copy(three, root / "2" / "same bytes.png")
    zero = sorted((root / "0").iterdir())[0]
    Image.open(zero).save(root / "0" / "again.bmp")
    one = np.array(Image.open(sorted((root / "1").iterdir())[0]))
    save(np.dstack([one] * 3), root / "3" / "in colour.png")
    return root


@pytest.fixture(scope="module")
def task(photos: Path) -> Task:
    return ps.read_task(photos)


@pytest.fixture(scope="module")
def audit(task: Task) -> Audit:
    return ps.audit(ps.load_model("pixels?side=8"), task)


def finding(audit: Audit, code: str) -> Finding:
    return next(f for f in audit.findings if f.code == code)


def test_planted_merges_and_contradictions_are_found_by_name(audit: Audit) -> None:
    merged = finding(audit, "IN01")
    assert merged.status == "found"
    assert merged.evidence["causes"] == ["file format"]
    names = [sorted(Path(text).name for text in group.texts) for group in merged.groups]
    assert {"again.bmp", "in colour.png"} <= {name for group in names for name in group}
    assert len(merged.groups) == 2
    assert merged.groups[0].labels == ("1", "3")  # the conflict comes first
    assert "8 x 8 pixels, grey" in merged.groups[0].note
    assert "images" in merged.message
    assert "text" not in merged.message
    labels = finding(audit, "LB01")
    assert labels.status == "found"
    assert {Path(text).name for text in labels.groups[0].texts} >= {"same bytes.png"}
    assert "1 image with contradictory labels" in labels.message
    for code in ("IN02", "IN03"):
        assert finding(audit, code).status == "not applicable"
    # One of two rows of each conflict is wrong: 124 rows hold two conflicts, one of them in the labels alone.
    wrong = {r.name: r.evidence["rows_proved_wrong"] for r in audit.ladder if r.kind == "proof"}
    assert wrong == {"input ceiling": 2, "label ceiling": 1}


def test_the_ladder_climbs_with_images_as_prompts(audit: Audit) -> None:
    rungs = {rung.name: rung for rung in audit.ladder}
    assert all(rungs[name].accuracy > 0.8 for name in ("one prompt per label", "k prompts per label", "head"))
    assert rungs["soft prompt"].nulls.keys() == {"random features", "permuted labels"}
    assert rungs["soft prompt"].nulls["permuted labels"] < 0.5
    chosen = next(choice for choice in audit.prompts if choice.chosen)
    assert chosen.origin == "exemplar"
    assert all(Path(path).parent.name == label for label, path in chosen.prompts if Path(path).stem.isdigit())
    assert audit.baseline == ()  # the model is the baseline


def test_features_of_paths_do_not_depend_on_where_files_lie_or_rows_stand(
    task: Task, audit: Audit, tmp_path: Path
) -> None:
    moved = [tmp_path / f"{i}{Path(path).suffix}" for i, path in enumerate(task.objects or ())]
    for path, to in zip(task.objects or (), moved, strict=True):
        shutil.copy(path, to)
    order = np.random.default_rng(0).permutation(len(task))
    other = replace(task, objects=tuple(map(str, moved))).take(order)
    again = ps.audit(ps.load_model("pixels?side=8"), other, why=False)
    assert [(r.accuracy, r.low, r.high, r.nulls) for r in again.ladder] == [
        (r.accuracy, r.low, r.high, r.nulls) for r in audit.ladder
    ]


def test_a_task_made_by_hand_knows_its_contents(task: Task) -> None:
    bare = replace(task, digests=None)
    assert bare.contents == task.contents


def test_text_and_image_models_are_refused_on_each_others_tables(task: Task) -> None:
    texts = replace(task, media="text", digests=None)
    with pytest.raises(InputError, match=r"reads images and the task has none.*--image"):
        ps.audit(ps.load_model("pixels"), texts)
    with pytest.raises(InputError, match=r"reads text and the task's objects are images.*efficientnet-lite0"):
        ps.audit(ps.load_model("tfidf"), task)


def test_models_of_images_are_compared(task: Task) -> None:
    found = ps.compare([ps.load_model("pixels"), ps.load_model("tfidf")], task, why=False)
    assert [audit.model.name for audit in found.audits] == ["pixels"]
    assert "objects are images" in found.failed[0][1]
    kept = ps.compare_categories(ps.load_model("pixels?side=8"), ps.load_model("pixels?side=2"), task, k=5)
    assert kept.kept.neighbours.value < 0.9
    new = {Path(text).name for group in kept.merges[0].new for text in group.texts}
    assert not new & {"again.bmp"}  # merged by both
    alone = ps.compare_categories(
        ps.load_model("pixels?side=8"), ps.load_model("pixels?side=8&colour=true"), list(task.objects or ()), k=5
    )
    assert alone.kept.neighbours.value == pytest.approx(1)  # grey pictures keep every angle in three equal channels
    for page in (to_html(kept), to_html(found)):
        assert 'src="data:image/png;base64,' in page
        assert "random word" not in page


def test_faces_show_pictures_or_paths(audit: Audit, photos: Path) -> None:
    page = to_html(audit)
    assert 20 < page.count("<img ") <= 110
    assert len(page.encode()) < 900_000
    assert page.count('alt=""') == page.count("<img ")
    assert all(Path(row.text).name in to_text(audit) for row in audit.rows[:5])
    assert audit.task["objects"] == "image"
    document = to_json(audit)
    assert to_json(from_json(document)) == document
    assert to_html(from_json(document)) == page  # type: ignore[arg-type]
    assert "again.bmp" in rows_text(audit, "IN01")
    lost = json.loads(document.replace(str(photos), "/not/here"))
    assert "<img " not in to_html(from_json(json.dumps(lost)))  # type: ignore[arg-type]


class Tinted(PixelModel):
    """Colour pixels under another name, so that the baseline climbs beside them."""

    @property
    def info(self) -> ModelInfo:
        return replace(super().info, name="tinted", kind="planted", trainable=True)


def test_a_baseline_of_pixels_climbs_beside_a_model(tmp_path: Path) -> None:
    """The kind of a picture is its tint, at one brightness: colour pixels see it and grey ones don't."""
    rng = np.random.default_rng(0)
    tints = np.array([[1.4, 0.9, 0.6], [0.6, 1.05, 1.8]])
    tints /= tints @ [[0.299], [0.587], [0.114]]
    for i in range(160):
        grey = landscape(16, 16, i)[:, :, 1:2] / 4 + rng.uniform(30, 60)
        picture = (grey * tints[i % 2]).clip(0, 255).astype(np.uint8)
        save(picture, tmp_path / "d" / ("warm", "cold")[i % 2] / f"{i}.png")
    audit = ps.audit(Tinted(4, colour=True), ps.read_task(tmp_path / "d"), why=False)
    plain = {rung.name: rung.accuracy for rung in audit.baseline}
    assert audit.rung("head").accuracy == 1.0
    assert plain["head"] is not None
    assert plain["head"] < 0.75
    found = finding(audit, "BL01")
    assert (found.status, found.title) == ("not found", "No better than comparing pixels")
    assert "on pixels" in found.message
    assert "baseline pixels" in to_text(audit)
    assert audit.rung("fine-tune forecast").detail.endswith("other tasks of texts")
    assert "TF-IDF" not in to_html(audit) + to_text(audit) + to_json(audit)
