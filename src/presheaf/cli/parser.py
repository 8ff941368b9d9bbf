"""What can be said on the command line."""

from __future__ import annotations

import argparse

from presheaf.audits.defaults import PROMPT_ROWS, SHOTS
from presheaf.cli import migrate, train

DESCRIPTION = "What can a pre-trained model be made to do on your table? Measured before you spend money."
TOP = """\
examples:
  presheaf audit reviews.csv --text review --label sentiment --model minilm --target 0.90 --report out.html --json out.json
  presheaf compare reviews.csv --text review --label sentiment --model minilm --model wordllama --model tfidf
  presheaf compare-categories reviews.csv --text review --label sentiment --model minilm --model minilm-int8
  presheaf audit photos/ --model efficientnet-lite0 --report out.html
  presheaf rows out.json --finding IN01
  presheaf models
  presheaf train --pretext simclr --data digits --out runs/simclr --report simclr.html
  presheaf migrate --functor F.toml --sigma input.duckdb output.duckdb
"""
AUDIT = """\
examples:
  presheaf audit reviews.csv --text review --label sentiment --model minilm --target 0.90 --report out.html --json out.json
  presheaf audit photos.csv --image path --label kind --model efficientnet-lite0 --report out.html
  presheaf audit photos/ --model efficientnet-lite0        # one sub-folder a class

exit codes:
  0  done; with --target: a rung is shown to reach it (its whole interval), or fine-tuning is forecast to, likewise
  1  --target is given and not reached, or not shown to be (the interval reaches below it)
  2  the table, the model or an option can't be used; the message says why and how to mend it
  70  a fault of presheaf itself; a file that is named says where
  130  stopped with Ctrl-C; an audit of the rows read so far is still printed where there are enough
"""
CATEGORIES = """\
example:
  presheaf compare-categories reviews.csv --text review --label sentiment --model minilm --model minilm-int8 --report out.html

You quantised, pruned, tuned or distilled an encoder: does it still do on your rows what the original does? The original is
the first --model, the changed one the second. The answer says, with intervals and row numbers:
  - whether your task gets worse on held-out rows, with prompts and with a head on frozen features (paired tests)
  - how many of each row's nearest neighbours stay, and by how much distances change
  - for which labels one prompt was enough and no longer is, or the other way round
  - which rows changed most, get another label from their neighbours, or can't be told apart any more
A difference that is only float rounding is called that.
"""
CATEGORIES_CODES = """\
exit codes:
  0  done; the task is not shown to get worse
  1  the task is shown to get worse: with one prompt, k prompts, a soft prompt or a head (paired tests, together at 95 %)
  2  the table, a model or an option can't be used; the message says why and how to mend it
  130  stopped with Ctrl-C
"""
MODEL = (
    "a name of `presheaf models`; hf:FOLDER, st:FOLDER, onnx:FILE, wordvec:FILE, vectors:FILE.npy; for images "
    "efficientnet-lite0, -lite1, -lite2, pixels and trained:FOLDER (what `presheaf train` wrote); language models: "
    "lm:FOLDER, gguf:FILE, ngram:FILE.npz; http://127.0.0.1:8080/v1#model for an OpenAI-compatible endpoint, with lm: in "
    "front for its completions; options follow as in minilm-torch?layer=3 or smollm2?adapter=FOLDER"
)


def _task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table",
        help="CSV, TSV, JSONL, JSON, Parquet, Arrow file, a saved Hugging Face dataset folder, or a folder of images with a "
        "sub-folder for each class",
    )
    parser.add_argument("--text", metavar="COLUMN", help="column that holds the text")
    parser.add_argument("--image", metavar="COLUMN",
                        help="column that holds names of image files, relative to the table (instead of --text)")  # fmt: skip
    parser.add_argument("--label", metavar="COLUMN", help="column that holds the label")
    parser.add_argument(
        "--vectors", metavar="COLUMN", help="column that holds precomputed vectors (instead of --model)"
    )
    parser.add_argument("--on-bad-row", choices=("error", "skip"), default="error",
                        help="stop at rows that can't be used (default), or go on without them")  # fmt: skip
    parser.add_argument(
        "--encoding", help="of a text file, e.g. cp1252 (default: UTF-8, or what its byte order mark says)"
    )
    parser.add_argument("--target", type=float, metavar="ACCURACY", help="accuracy that is wanted, e.g. 0.9")
    parser.add_argument(
        "--prompts",
        metavar="FILE",
        help="your own prompts: .json, .csv (label, prompt) or .txt (templates; with {text} and "
        "{label} at the end for a language model)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of halves, folds and draws (default 0)")
    parser.add_argument("--report", metavar="FILE.html", help="write one self-contained HTML page")
    parser.add_argument("--json", metavar="FILE.json", help="write the same numbers as JSON ('-' for standard output)")
    parser.add_argument("--cache", metavar="FOLDER", help="where features are kept (default: your cache folder)")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done and what it would cost, and stop"
    )
    parser.add_argument("--yes", action="store_true", help="don't ask before an endpoint is called")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the answer")


def _why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-why", action="store_true",
                        help="leave out what the model's category says of the task (saves some seconds)")  # fmt: skip


def _shots(text: str) -> tuple[int, ...]:
    try:
        shots = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        shots = ()
    if not shots or min(shots) < 0:
        raise argparse.ArgumentTypeError(f"expected numbers of examples such as 0,1,2,4,8; got {text!r}")
    return shots


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of rows, 1 or more; got {text!r}")
    return int(text)


def _language(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("language models (smollm2, lm:, gguf:, ngram:, lm:http://...)")
    group.add_argument("--shots", type=_shots, default=SHOTS, metavar="K,K,...",
                       help="numbers of labelled examples in the prompt (default 0,1,2,4,8; 0 alone: no examples)")  # fmt: skip
    group.add_argument("--prompt-rows", type=_rows, default=PROMPT_ROWS, metavar="N",
                       help=f"most rows of each half that every prompt is tried on (default {PROMPT_ROWS})")  # fmt: skip
    group.add_argument("--no-tune", action="store_true", help="don't tune a soft prompt by gradient")
    group.add_argument("--fine-tune", choices=("lora", "last_layers"),
                       help="fine-tune a copy of the model and measure it beside the forecast (minutes)")  # fmt: skip


def build() -> argparse.ArgumentParser:
    """The parser for all commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("presheaf", description=DESCRIPTION, epilog=TOP, formatter_class=raw)
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    audit = commands.add_parser("audit", help="what one model can be made to do on a table",
                                description="The ladder from one prompt to the proved ceiling, on rows held out.",
                                epilog=AUDIT, formatter_class=raw)  # fmt: skip
    _task(audit)
    audit.add_argument("--model", metavar="MODEL", help=MODEL)
    _why(audit)
    _language(audit)

    compare = commands.add_parser("compare", help="which of several models is better, by how much, and why",
                                  description="The same rows and halves for every model, with paired tests.",
                                  epilog=AUDIT.replace("presheaf audit", "presheaf compare").replace(
                                      "--model minilm ", "--model minilm --model tfidf ").replace(
                                      "-lite0 ", "-lite0 --model pixels "), formatter_class=raw)  # fmt: skip
    _task(compare)
    compare.add_argument("--model", metavar="MODEL", action="append", default=[], help="twice or more; " + MODEL)
    _why(compare)
    _language(compare)

    categories = commands.add_parser("compare-categories",
                                     help="what a quantised, pruned or tuned model keeps of the original, with rows",
                                     usage="presheaf compare-categories TABLE --text COLUMN --label COLUMN --model ORIGINAL "
                                           "--model CHANGED [options]",
                                     description=CATEGORIES, epilog=CATEGORIES_CODES, formatter_class=raw)  # fmt: skip
    _task(categories)
    categories.add_argument("--model", metavar="MODEL", action="append", default=[],
                            help="twice: the original, then the changed one; " + MODEL)  # fmt: skip
    categories.add_argument("--neighbours", type=int, default=10, metavar="K", help="neighbours looked at (default 10)")
    categories.add_argument("--calibrate", action="store_true",
                            help="fit one factor between the scales on half of the objects, measure on the others")  # fmt: skip

    rows = commands.add_parser("rows", help="the rows behind a finding, with their text",
                               epilog="example:\n  presheaf rows out.json --finding IN01 --csv merged.csv",
                               formatter_class=raw)  # fmt: skip
    rows.add_argument("file", help="JSON written by audit or compare")
    rows.add_argument("--finding", metavar="CODE", help="e.g. IN01; left out, the codes with rows are listed")
    rows.add_argument("--csv", metavar="FILE", help="write them as CSV with their row numbers")

    models = commands.add_parser("models", help="what can be named, what is installed, what each needs")
    models.add_argument("--json", action="store_true", help="as JSON")

    migrate.add(commands)
    train.add(commands)
    return parser
