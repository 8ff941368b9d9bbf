"""Make the example tables again, byte for byte, from the unpacked source distribution of vaderSentiment 3.3.2.

    python examples/make_examples.py PATH/TO/vaderSentiment-3.3.2 [--out FOLDER]

Each source line is `id <tab> mean rating <tab> text`, the mean taken over twenty or so people who rated the text from
-4 (most negative) to 4 (most positive). See README.md for what is kept and why.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import html
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

SOURCE = Path("additional_resources", "hutto_ICWSM_2014")
THRESHOLD = 0.5
"""A mean of twenty ratings has a standard error near 0.16 here, so 0.5 is about three of them away from no opinion."""


class Row(NamedTuple):
    """One rated text. ``intensity`` is its mean rating, from -4 to 4."""

    id: str
    text: str
    sentiment: str
    intensity: float


def polarity(mean: float) -> str | None:
    """ "positive" or "negative"; None for a text whose raters did not lean clearly to either side."""
    if abs(mean) < THRESHOLD:
        return None
    return "positive" if mean > 0 else "negative"


def three_way(mean: float) -> str:
    """As `polarity`, with "neutral" for the texts in between."""
    return polarity(mean) or "neutral"


def read(path: Path, label: Callable[[float], str | None]) -> list[Row]:
    """Rows of one ground-truth file in their order, those without a label left out.

    The files are UTF-8 with character references left over from the web, some of them twice encoded (`&amp;#38;`).
    """
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        key, mean, text = line.split("\t")
        sentiment = label(float(mean))
        if sentiment is not None:
            rows.append(Row(key, html.unescape(html.unescape(text)).strip(), sentiment, round(float(mean), 2)))
    return rows


def sample(rows: list[Row], size: int) -> list[Row]:
    """``size`` rows chosen by a hash of their id, in their old order: the same rows on every machine."""
    chosen = sorted(range(len(rows)), key=lambda i: hashlib.sha256(rows[i].id.encode()).digest())[:size]
    return [rows[i] for i in sorted(chosen)]


def as_csv(rows: Iterable[Row]) -> str:
    """Columns id, review, sentiment, intensity; line feeds only."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "review", "sentiment", "intensity"])
    writer.writerows((row.id, row.text, row.sentiment, f"{row.intensity:.2f}") for row in rows)
    return out.getvalue()


def as_jsonl(rows: Iterable[Row]) -> str:
    """One object a line: id, tweet, sentiment, intensity."""
    return "".join(
        json.dumps(
            {"id": row.id, "tweet": row.text, "sentiment": row.sentiment, "intensity": row.intensity},
            ensure_ascii=False,
        )
        + "\n"
        for row in rows
    )


def make(sdist: Path, out: Path) -> None:
    """Write reviews.csv, movies.csv and tweets.jsonl into ``out``."""
    folder = sdist / SOURCE
    reviews = read(folder / "amazonReviewSnippets_GroundTruth.txt", polarity)
    movies = sample(read(folder / "movieReviewSnippets_GroundTruth.txt", polarity), 2500)
    tweets = sample(read(folder / "tweets_GroundTruth.txt", three_way), 2400)
    for name, text in (
        ("reviews.csv", as_csv(reviews)),
        ("movies.csv", as_csv(movies)),
        ("tweets.jsonl", as_jsonl(tweets)),
    ):
        (out / name).write_bytes(text.encode("utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sdist", type=Path, help="the unpacked folder vaderSentiment-3.3.2")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="where to write the tables")
    options = parser.parse_args()
    if not (options.sdist / SOURCE).is_dir():
        parser.error(f"expected {options.sdist / SOURCE} to be a folder; unpack the source distribution first")
    make(options.sdist, options.out)


if __name__ == "__main__":
    main()
