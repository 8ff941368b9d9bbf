"""The hypernym order of WordNet: a small made-up file, and the real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import is_thin, terminal_objects
from presheaf.finite.categories.parts import full_subcategory
from presheaf.finite.examples import Hypernyms, wordnet_hypernyms
from presheaf.finite.functors.elements import coslice_category
from presheaf.finite.presented.kan_left import hom_from

# entity <- animal <- dog, cat; dog and pet share puppy; Rex is an instance of dog.
SMALL = """\
  1 This software and database is being provided to you, the LICENSEE
00000010 03 n 01 entity 0 001 ~ 00000020 n 0000 | what is
00000020 03 n 02 animal 0 animate_being 0 003 @ 00000010 n 0000 ~ 00000030 n 0000 ~ 00000040 n 0000 | moves; "it | ran"
00000030 05 n 02 dog 0 Canis_familiaris 0 002 @ 00000020 n 0000 + 00000099 v 0101 | barks
00000040 05 n 01 pet 0 001 @ 00000020 n 0000 | lives with people
00000050 05 n 01 puppy 0 002 @ 00000030 n 0000 @ 00000040 n 0000 | young
00000060 18 n 01 Rex 1 001 @i 00000030 n 0000 | a dog
"""


@pytest.fixture
def small(tmp_path: Path) -> Hypernyms:
    (tmp_path / "data.noun").write_text(SMALL, encoding="utf-8")
    return wordnet_hypernyms(tmp_path)


def test_a_small_file(small: Hypernyms) -> None:
    assert small.names[:3] == ("entity%1:03:00", "animal%1:03:00", "dog%1:05:00")
    assert small.names[5] == "rex%1:18:01"
    assert small.words[2] == ("dog", "Canis familiaris")
    assert small.glosses[1] == 'moves; "it | ran"'
    assert small.covers.tolist() == [[1, 0], [2, 1], [3, 1], [4, 2], [4, 3], [5, 2]]
    assert small.instance.tolist() == [False] * 5 + [True]
    assert small.find("canis_FAMILIARIS") == small.find("dog") == (2,)
    assert small.find("unicorn") == ()
    assert small.above(4).tolist() == [0, 1, 2, 3, 4]
    assert small.below(2).tolist() == [2, 4, 5]
    assert small.least_common(4, 5).tolist() == [2]
    assert small.least_common(2, 3).tolist() == [1]
    assert small.least_common(4).tolist() == [4]
    assert small.category.n_arrows == 1 + 2 + 3 + 3 + 5 + 4
    assert repr(small) == "Hypernyms(noun: 6 synsets, 6 hypernym pointers)"


def test_chains_of_pointers(small: Hypernyms) -> None:
    paths = small.presentation()
    # The puppy reaches animal and entity by two chains each.
    assert hom_from(paths, 4).sizes.tolist() == [2, 2, 1, 1, 1, 0]
    part = small.presentation(2)
    assert part.objects == small.names[:3]
    assert len(part.generators) == 2


def test_several_least_common_hypernyms(tmp_path: Path) -> None:
    lines = [f"000000{i}0 03 n 01 w{i} 0 000 | top" for i in (1, 2)]
    lines += [f"000000{i}0 03 n 01 w{i} 0 002 @ 00000010 n 0000 @ 00000020 n 0000 | low" for i in (3, 4)]
    (tmp_path / "data.noun").write_text("\n".join(lines), encoding="utf-8")
    assert wordnet_hypernyms(tmp_path).least_common(2, 3).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("00000010 03 n 01 entity 0 001 @ 00000077 n 0000 | x", "line 1: a hypernym pointer to 00000077"),
        ("00000010 03 n zz entity", "line 1: not in the format"),
        ("hello", "line 1: not in the format"),
        ("00000010 03 n 01 entity 0 002 @ 00000010 n 0000 | x", "line 1: not in the format"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "data.noun").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        wordnet_hypernyms(tmp_path)


def test_a_missing_file_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"apt-get install wordnet-base"):
        wordnet_hypernyms(tmp_path)
    with pytest.raises(InputError, match="'part' must be one of noun, verb"):
        wordnet_hypernyms(tmp_path, "adverb")
    (tmp_path / "data.noun").write_text(SMALL, encoding="utf-8")
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    assert len(wordnet_hypernyms()) == 6


@pytest.fixture(scope="module")
def nouns() -> Hypernyms:
    try:
        found = wordnet_hypernyms()
    except InputError:
        pytest.skip("WordNet's database files are not installed")
    if len(found) != 82115:
        pytest.skip("another version of WordNet than 3.0")
    return found


def test_wordnet_3_0(nouns: Hypernyms) -> None:
    verbs = wordnet_hypernyms(part="verb")
    # Pointers "@" of nouns and verbs together; instance pointers come on top.
    assert int((~nouns.instance).sum()) + int((~verbs.instance).sum()) == 89089
    assert len(set(nouns.names)) == 82115
    order = nouns.category
    assert is_thin(order)
    assert [nouns.names[c] for c in terminal_objects(order)] == ["entity%1:03:00"]
    dog, cat = (nouns.names.index(f"{w}%1:05:00") for w in ("dog", "cat"))
    assert [nouns.names[c] for c in nouns.least_common(dog, cat)] == ["carnivore%1:05:00"]
    above = coslice_category(order, dog).category
    assert above.n_objects == len(nouns.above(dog))
    part, _ = full_subcategory(order, nouns.above(dog))
    assert part.n_arrows == above.n_arrows


def test_hypernyms_by_walking(nouns: Hypernyms) -> None:
    """Ancestors by following pointers one by one, for random synsets."""
    up: dict[int, list[int]] = {}
    for a, b in nouns.covers.tolist():
        up.setdefault(a, []).append(b)
    for start in np.random.default_rng(0).integers(0, len(nouns), 200).tolist():
        seen, front = {start}, [start]
        while front:
            new = [b for b in up.get(front.pop(), []) if b not in seen]
            seen.update(new)
            front += new
        assert nouns.above(start).tolist() == sorted(seen)
