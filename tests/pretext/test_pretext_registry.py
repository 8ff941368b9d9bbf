"""From what a user writes to a pre-training task."""

from __future__ import annotations

import subprocess
import sys

import pytest

import presheaf.pretext
from presheaf.errors import InputError
from presheaf.pretext import Plan, Pretext, pretext


def test_options_in_the_name_and_as_keywords() -> None:
    task = pretext("rotnet?dim=32&encoder=vit", dim=48)
    assert dict(task.options) == {"dim": 48, "encoder": "vit"}
    assert isinstance(task, Pretext)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "named by a string"),
        ("simclrr", "There is no pre-training task 'simclrr' \\(did you mean 'simclr'\\?\\); there are: simclr, moco"),
        ("rotnet?dimm=3", "has no option 'dimm' \\(did you mean 'dim'\\?\\); it has: encoder, dim"),
        ("rotnet?dim", "name=value&name=value"),
        ("rotnet?dim=many", "The option 'dim' takes int; got 'many'"),
    ],
)
def test_what_is_no_task(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pretext(spec)


def test_the_face_costs_nothing() -> None:
    code = "import sys, presheaf.pretext as p; p.pretext_names; p.Plan(); print('torch' in sys.modules, 'kornia' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", presheaf.pretext.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(presheaf.pretext, name)
    assert found.__name__ == name
    assert found.__doc__


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, "'steps' must be a whole number, at least 0; got -1"),
        ({"batch_size": 2.0}, "'batch_size' must be a whole number, at least 1; got 2.0"),
        ({"optimizer": "lars"}, "'optimizer' must be one of adamw, sgd"),
        ({"learning_rate": float("nan")}, "'learning_rate' must be above 0"),
        ({"weight_decay": -1}, "'weight_decay' must be at least 0"),
        ({"keep": 0}, "'keep' must be a whole number, at least 1"),
    ],
)
def test_plans_out_of_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Plan(**change)  # type: ignore[arg-type]


def test_the_learning_rate_by_hand() -> None:
    plan = Plan(steps=6, warmup=2, learning_rate=3.0)
    assert [plan.rate(step) for step in range(3)] == pytest.approx([1.0, 2.0, 3.0])
    assert plan.rate(4) == pytest.approx(1.5)  # half way down the cosine
    assert Plan(steps=2, warmup=5, learning_rate=6.0).rate(1) == pytest.approx(2.0)


@pytest.mark.parametrize(("face", "name", "extra"), [("pretext", "train", "pretext"), ("language", "fine_tune", "lm")])
def test_a_name_that_needs_torch_says_how_to_install_it(face: str, name: str, extra: str) -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        f"import presheaf.{face} as face\nfrom presheaf.errors import MissingDependencyError\n"
        f"try:\n    face.{name}\nexcept MissingDependencyError as error:\n    print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"presheaf.{face}.{name} needs the package 'torch'" in ran.stdout
    assert f'pip install "presheaf[{extra}]"' in ran.stdout
