"""`presheaf train` and `presheaf data`: pre-train a model, watch its category form, write data sets out as tables."""

from __future__ import annotations

import argparse
import os
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presheaf.cli.output import check_outputs, show
from presheaf.cli.progress import Progress
from presheaf.errors import InputError

if TYPE_CHECKING:
    from presheaf.audits.watch_result import Moment
    from presheaf.pretext.base import Data
    from presheaf.pretext.plan import Plan
    from presheaf.tables.task import Task

TRAIN = """\
examples:
  presheaf train --pretext simclr --data digits --steps 600 --out runs/simclr --report simclr.html
  presheaf train --pretext rotnet --data folder:photos --watch table.csv --image path --label kind --out runs/rotnet
  presheaf train --pretext causal --data reviews --watch examples/reviews.csv --text review --label sentiment --out runs/lm
  presheaf train --pretext deepwalk --data karate --out runs/karate
  presheaf train --pretext clip --data 'emoji?left=efficientnet-lite0&right=minilm' --out runs/emoji

A pre-training task puts a category on the data; training moves the model's category to it. At every checkpoint, the random
initialisation first, this measures on held-out objects how far the model's hom is from the task's own, and on a labelled
table what prompts and heads reach with the features. The model is written to OUT/model and can be audited like any other.

Kept in OUT: checkpoints, losses and what was measured. The same command goes on after Ctrl-C, a crash or a kill, and ends with
the same weights, bit for bit on a CPU; with more --steps it trains on.

exit codes:
  0  done
  2  the task, the data, the table or an option can't be used, or the loss is no longer a number; the message says why
  130  stopped with Ctrl-C; what was seen until then is printed
"""
DATA = """\
examples:
  presheaf data digits digits/             # held-out images as PNG files, and digits/images.csv
  presheaf data fashion-mnist clothes/ --part train --most 2000
"""
_PLAN = (
    "steps",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "optimizer",
    "warmup",
    "seed",
    "checkpoint_every",
    "keep",
)


def add(commands: Any) -> None:
    """The parsers of both commands."""
    parser = commands.add_parser(
        "train", help="pre-train a model on a task, and watch its category form",
        description="Pre-train a model, and measure its category and its ladder while it learns.", epilog=TRAIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--pretext", metavar="TASK", help="pre-training task with its options, e.g. 'simclr?temperature=0.2'"
    )
    parser.add_argument("--data", metavar="DATA", help="digits, fashion-mnist, idx:FOLDER, folder:FOLDER, reviews, wordnet, "
                        "text:FILE, karate, miserables, blogcatalog:FILE.mat, edgelist:FILE, "
                        "'emoji?left=efficientnet-lite0&right=minilm'")  # fmt: skip
    parser.add_argument("--out", metavar="FOLDER", help="where the run is kept")
    parser.add_argument(
        "--list", action="store_true", help="list the pre-training tasks with what each teaches, and stop"
    )
    table = parser.add_argument_group("the labelled table that is watched (default: the data's own held-out labels)")
    table.add_argument(
        "--watch", metavar="TABLE", help="labelled objects: a table, or a folder per class; 'none' for no table"
    )
    table.add_argument("--text", metavar="COLUMN", help="column that holds the text")
    table.add_argument("--image", metavar="COLUMN", help="column that holds the image files")
    table.add_argument("--label", metavar="COLUMN", help="column that holds the label")
    table.add_argument("--watch-rows", type=int, default=1000, metavar="N",
                       help="most of the data's own held-out objects to watch (default 1000)")  # fmt: skip
    how = parser.add_argument_group("how it is trained")
    how.add_argument("--steps", type=int, metavar="N", help="optimiser steps in all (default 300)")
    how.add_argument("--batch-size", type=int, metavar="N", help="objects a step (default 128)")
    how.add_argument("--learning-rate", type=float, metavar="RATE", help="the largest (default 0.001)")
    how.add_argument("--weight-decay", type=float, metavar="DECAY", help="default 0.0001")
    how.add_argument("--optimizer", choices=("adamw", "sgd"), help="default adamw")
    how.add_argument("--warmup", type=int, metavar="N", help="steps over which the rate rises (default 10)")
    how.add_argument("--checkpoint-every", type=int, metavar="N", help="steps between checkpoints (default 50)")
    how.add_argument("--keep", type=int, metavar="K", help="newest checkpoints to keep (default: all)")
    how.add_argument("--seed", type=int, default=0, help="of weights, order, draws and halves (default 0)")
    parser.add_argument("--objects", type=int, default=300, metavar="N",
                        help="held-out objects on which the hom is measured (default 300)")  # fmt: skip
    parser.add_argument("--report", metavar="FILE.html", help="write one self-contained HTML page")
    parser.add_argument("--json", metavar="FILE.json", help="write the same numbers as JSON ('-' for standard output)")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the answer")
    written = commands.add_parser(
        "data", help="write a packaged data set's images as files with a labelled table", description="Write images and a CSV.",
        epilog=DATA, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    written.add_argument("name", metavar="DATA", help="digits, fashion-mnist, idx:FOLDER")
    written.add_argument("folder", metavar="FOLDER", help="where to write")
    written.add_argument("--part", choices=("test", "train"), default="test", help="held out (default) or to train on")
    written.add_argument("--most", type=int, metavar="N", help="most images to write, drawn alike from all classes")


def train(arguments: Namespace) -> int:
    """`presheaf train`."""
    if arguments.list:
        return _list()
    for name in ("pretext", "data", "out"):
        if getattr(arguments, name) is None:
            raise InputError(
                f"--{name} is missing. Example: presheaf train --pretext simclr --data digits --out runs/simclr."
            )
    check_outputs(arguments)
    _at_least("--objects", arguments.objects, 8)
    _at_least("--watch-rows", arguments.watch_rows, 2)
    _check_columns(arguments)
    folder = _run_folder(arguments.out)
    from presheaf.models.optional import need

    need("torch", "pretext", "Training")
    from presheaf.audits.watch import watch
    from presheaf.pretext import load_data, pretext
    from presheaf.pretext.trainer import check_data

    task = pretext(arguments.pretext)
    with Progress(arguments.quiet) as progress, _notes_as_lines(progress):
        data = load_data(
            arguments.data, progress=lambda done, total: progress("reading objects with models", done, total)
        )
        plan = _plan(arguments, data)
        check_data(task, data, plan)
        labelled = _labelled(arguments, data, folder)
        result = watch(
            task, data, folder, plan, labelled=labelled, size=arguments.objects, seed=arguments.seed, progress=progress,
            on_moment=lambda moment: progress.say(_line(moment)),
        )  # fmt: skip
    show(result, arguments)
    return 130 if result.interrupted else 0


def data(arguments: Namespace) -> int:
    """`presheaf data`."""
    from presheaf.pretext import load_data, save_images

    if arguments.most is not None:
        _at_least("--most", arguments.most, 1)
    table = save_images(load_data(arguments.name), arguments.part, Path(arguments.folder), arguments.most)
    print(f"wrote {table}; audit it with: presheaf audit {table} --image path --label label --model pixels")
    return 0


def _list() -> int:
    from presheaf.pretext import pretext, pretext_names

    for name in pretext_names():
        category = pretext(name).category
        print(f"{name}: {category.objects}; hom {category.hom} ({category.quantale.name}, {category.orientation})")
        print(f"{'':<{len(name)}}  {category.source}")
    return 0


def _plan(arguments: Namespace, data: Data) -> Plan:
    from presheaf.pretext.base import len_of
    from presheaf.pretext.plan import Plan

    said = {name: getattr(arguments, name) for name in _PLAN if getattr(arguments, name) is not None}
    # A batch can't hold more objects than there are; what the user says is left for the trainer to refuse.
    said.setdefault("batch_size", max(1, min(Plan().batch_size, len_of(data.train))))
    return Plan(**said)


def _at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{option} must be at least {least}; got {value}.")


def _check_columns(arguments: Namespace) -> None:
    """Columns are those of the table that --watch names; without one they would be passed over in silence."""
    for name in ("text", "image", "label"):
        if getattr(arguments, name) is not None and arguments.watch in (None, "none"):
            raise InputError(f"--{name} names a column of a labelled table; name the table, too: --watch TABLE.")


def _run_folder(out: str) -> Path:
    """The folder of the run, not made yet: what is in its way is told before anything is computed."""
    folder = Path(out).expanduser()
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), None)
    if there is not None and not there.is_dir():
        raise InputError(f"No run can be kept in {out!r}: {there} is a file. Choose another folder with --out.")
    if there is not None and not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"No run can be kept in {out!r}: {there} can't be written to. Choose another folder with --out."
        )
    return folder


@contextmanager
def _notes_as_lines(progress: Progress) -> Iterator[None]:
    """Notes of ours, such as of a damaged checkpoint, as lines of their own; warnings of other libraries are not for users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=UserWarning, module=r"presheaf\.")
        warnings.showwarning = lambda message, *_, **__: progress.tell(f"note: {message}")
        yield


def _labelled(arguments: Namespace, data: Data, folder: Path) -> Task | None:
    from presheaf.audits.watch_table import own_table
    from presheaf.tables import read_task

    if arguments.watch == "none":
        return None
    if arguments.watch is None:
        return own_table(data, folder / "watched", arguments.watch_rows)
    return read_task(arguments.watch, text=arguments.text, image=arguments.image, label=arguments.label)


def _line(moment: Moment) -> str:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    rungs = {rung.name: rung.accuracy.value for rung in moment.rungs}
    parts = [f"step {moment.step:,}: ideality {number(moment.ideality.value)} (0 is ideal)"]
    parts += [f"{name} {number(rungs[name])}" for name in ("one prompt per label", "head") if name in rungs]
    return ", ".join(parts)
