"""The commands as a user calls them: answers, exit codes, and one clear line for everything that can't be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import presheaf as ps
from presheaf.cli.main import main

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
PRESHEAF = [sys.executable, "-m", "presheaf"]


def process(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own, with these environment variables besides."""
    environment = {**ENVIRONMENT, "PRESHEAF_CACHE": os.environ["PRESHEAF_CACHE"], **variables}
    command = [*PRESHEAF, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, env=environment, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables: words that decide, words that don't, vectors that decide, and every kind of unusable file."""
    root = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    fillers = ["the film", "this book", "our dinner", "that trip", "her song", "his car", "a phone", "the hotel"]
    good, bad = ["wonderful", "lovely", "great", "superb"], ["awful", "dreadful", "terrible", "boring"]
    lines, jsonl = ["text,label"], []
    for i in range(300):
        word = str(rng.choice((bad, good)[i % 2]))
        text = f"{rng.choice(fillers)} number {i} was {word} and {rng.choice(fillers)} was {word}"
        lines.append(f"{text},{('bad', 'good')[i % 2]}")
        vector = (rng.standard_normal(4) + 2 * (i % 2)).tolist()
        jsonl.append(json.dumps({"text": text, "label": i % 2, "vector": vector}))
    (root / "words.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    noise = rng.permutation([line.rsplit(",", 1)[1] for line in lines[1:]])
    texts = [line.rsplit(",", 1)[0] for line in lines[1:]]
    (root / "noise.csv").write_text(
        "text,label\n" + "\n".join(f"{t},{y}" for t, y in zip(texts, noise, strict=True)) + "\n", encoding="utf-8"
    )
    (root / "vectors.jsonl").write_text("\n".join(jsonl) + "\n", encoding="utf-8")
    (root / "empty.csv").write_text("", encoding="utf-8")
    (root / "header.csv").write_text("text,label\n", encoding="utf-8")
    (root / "one.csv").write_text("text,label\n" + "\n".join(f"text {i},only" for i in range(30)), encoding="utf-8")
    (root / "holes.csv").write_text("\n".join([*lines, ",good", "a text without a label,"]) + "\n", encoding="utf-8")
    (root / "latin.csv").write_bytes("text,label\ncaf\xe9,a\nna\xefve,b\n".encode("latin-1"))
    (root / "binary.csv").write_bytes(bytes(range(256)) * 20)
    (root / "broken.json").write_text('{"schema": "presheaf.audit/1", "verdict": 3}', encoding="utf-8")
    (root / "templates.txt").write_text("no placeholder here\n", encoding="utf-8")
    (root / "mine.json").write_text(json.dumps({"good": "it was great", "bad": ["it was awful"]}), encoding="utf-8")
    (root / "strange.json").write_text(json.dumps({"good": "x", "neutral": "y"}), encoding="utf-8")
    (root / "folder").mkdir()
    return root


def say(folder: Path, line: str) -> list[str]:
    return [str(folder / word[1:]) if word.startswith("@") else word for word in line.split()]


WORDS = "@words.csv --text text --label label"
REFUSED = [
    (f"audit {WORDS}", "no model is named"),
    (f"audit {WORDS} --model nothing-of-the-kind", "nothing-of-the-kind"),
    (f"audit {WORDS} --model tfidf --target 90", "Did you mean 0.9?"),
    (f"audit {WORDS} --model tfidf --target 0", "'target'"),
    (f"audit {WORDS} --model tfidf --target nan", "'target'"),
    (f"audit {WORDS} --model tfidf --target abc", "abc"),
    (f"audit {WORDS} --model tfidf --seed -1", "'seed'"),
    (f"audit {WORDS} --model tfidf --seed 99999999999999999999", "'seed'"),
    (f"audit {WORDS} --model tfidf --seed x", "'x'"),
    (f"audit {WORDS} --model tfidf --json @none/out.json", "does not exist"),
    (f"audit {WORDS} --model tfidf --json @folder", "folder"),
    (f"audit {WORDS} --model tfidf --report @none/out.html", "does not exist"),
    (f"audit {WORDS} --model tfidf --prompts @none.json", "none.json"),
    (f"audit {WORDS} --model tfidf --prompts @templates.txt", "{label}"),
    (f"audit {WORDS} --model tfidf --prompts @strange.json", "neutral"),
    (f"audit {WORDS} --model tfidf --prompts @binary.csv", "binary.csv"),
    (f"audit {WORDS} --model tfidf --on-bad-row maybe", "maybe"),
    (f"audit {WORDS} --model tfidf --nonsense", "--nonsense"),
    (f"audit {WORDS} --model tfidf?nonsense=3", "nonsense"),
    (f"audit {WORDS} --model vectors:@none.npy", "npy"),
    (f"audit {WORDS} --model hf:/no/such/folder", "/no/such/folder"),
    (f"audit {WORDS} --vectors text --model tfidf", "text"),
    (f"audit {WORDS} --vectors nowhere", "nowhere"),
    (f"audit {WORDS} --model tfidf --encoding klingon", "klingon"),
    ("audit @words.csv --text review --label label --model tfidf", "'text', 'label'"),
    ("audit @words.csv --text text --label stars --model tfidf", "'text', 'label'"),
    ("audit @none.csv --text text --label label --model tfidf", "none.csv"),
    ("audit @folder --text text --label label --model tfidf", "folder"),
    ("audit @empty.csv --text text --label label --model tfidf", "empty.csv"),
    ("audit @header.csv --text text --label label --model tfidf", "header.csv"),
    ("audit @one.csv --text text --label label --model tfidf", "only"),
    ("audit @holes.csv --text text --label label --model tfidf", "301"),
    ("audit @latin.csv --text text --label label --model tfidf", "--encoding"),
    ("audit @binary.csv --text text --label label --model tfidf", "binary.csv"),
    (f"compare {WORDS} --model tfidf", "at least two"),
    (f"compare {WORDS} --model tfidf --model tfidf", "named twice"),
    (f"compare {WORDS} --model tfidf --model nothing-of-the-kind", "nothing-of-the-kind"),
    ("rows @none.json", "none.json"),
    ("rows @words.csv", "--json"),
    ("rows @broken.json --finding IN01", "audit"),
    ("rows @binary.csv", "binary.csv"),
    ("nonsense", "nonsense"),
]


@pytest.mark.parametrize(("line", "told"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_can_not_be_gets_a_clear_line_and_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    line = line.replace(":@", f":{folder}/")
    try:
        code = main(say(folder, line))
    except SystemExit as stop:  # argparse
        code = stop.code  # type: ignore[assignment]
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert told in err
    assert "presheaf" in err.splitlines()[-1] or err.startswith("presheaf: ")
    assert "Traceback" not in err


def test_no_command_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "presheaf audit" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("presheaf 0.")


def test_an_audit_with_all_its_outputs(folder: Path, tmp_path: Path) -> None:
    done = process(*say(folder, f"audit {WORDS} --model tfidf --target 0.9"), "--report", tmp_path / "o.html",
                   "--json", tmp_path / "o.json", "--quiet")  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert {line.split(" ", 1)[0] for line in done.stderr.splitlines()} == {"wrote"}
    document = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert document["verdict"]["reached"] is True
    assert document["verdict"]["sentence"][:40] in " ".join(done.stdout.split())
    assert (tmp_path / "o.html").read_text(encoding="utf-8").startswith("<!")
    read = ps.from_json((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert ps.to_html(read) == (tmp_path / "o.html").read_text(encoding="utf-8")


def test_a_target_that_is_not_reached_is_code_1_and_json_goes_to_standard_output(folder: Path) -> None:
    done = process(
        *say(folder, "audit @noise.csv --text text --label label --model tfidf --target 0.9 --json - --quiet")
    )
    assert done.returncode == 1
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["verdict"]["reached"] is not True
    assert document["schema"] == "presheaf.audit/1"


def test_json_is_utf8_and_text_is_shown_whatever_the_terminal_can(folder: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    line = say(folder, f"audit {WORDS} --model tfidf --quiet")
    text, document = process(*line, **plain), process(*line, "--json", "-", **plain)
    assert text.returncode == document.returncode == 0
    assert text.stdout.isascii()
    assert json.loads(document.stdout)["task"]["rows"] == 300


def test_a_dry_run_computes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = say(folder, f"audit {WORDS} --model tfidf --dry-run --json @no.json --cache @no-cache")
    assert main(line) == 0
    out, _ = capsys.readouterr()
    assert "300 rows" in out
    assert "2 classes" in out
    assert not (folder / "no.json").exists()
    assert not (folder / "no-cache").exists()


def test_bad_rows_are_left_out_where_that_is_asked_for(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    line = "audit @holes.csv --text text --label label --model tfidf --on-bad-row skip --quiet --json -"
    assert main(say(folder, line)) == 0
    assert [bad["row"] for bad in json.loads(capfdbinary.readouterr().out)["task"]["skipped"]] == [301, 302]


def test_precomputed_vectors(folder: Path) -> None:
    done = process(*say(folder, "audit @vectors.jsonl --label label --vectors vector --target 0.8 --quiet --json -"))
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["models"][0]["kind"] == "vectors"
    assert {f["code"]: f["status"] for f in document["findings"]}["IN01"] == "not applicable"


def test_the_users_prompts_are_tried(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(say(folder, f"audit {WORDS} --model tfidf --prompts @mine.json --quiet --json -")) == 0
    document = json.loads(capfdbinary.readouterr().out)
    user = [choice["prompts"] for choice in document["prompts"] if choice["origin"] == "user"]
    assert user == [[["bad", "it was awful"], ["good", "it was great"]]]


def test_compare_names_the_better_model_and_survives_one_that_fails(folder: Path) -> None:
    line = say(
        folder, "compare @vectors.jsonl --text text --label label --vectors vector --model tfidf --quiet --json -"
    )
    done = process(*line)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["schema"] == "presheaf.compare/1"
    assert [m["name"] for m in document["models"]] == ["tfidf", "vectors"]
    assert document["differences"][0]["p"] < 0.05
    few = folder / "few.npy"
    np.save(few, np.zeros((10, 3), dtype=np.float32))
    done = process(*line, "--model", f"vectors:{few}")
    assert done.returncode == 0
    ((name, reason),) = json.loads(done.stdout)["failed"]
    assert name.endswith("few.npy")
    assert "10" in reason


@pytest.fixture(scope="module")
def merged(folder: Path) -> Path:
    """JSON of an audit with rows behind IN01: upper-cased twins of a model that lower-cases."""
    lines = (folder / "words.csv").read_text(encoding="utf-8").splitlines()
    twins = [f"{line.rsplit(',', 1)[0].upper()},{line.rsplit(',', 1)[1]}" for line in lines[1:41]]
    table = folder / "twins.csv"
    table.write_text("\n".join([*lines, *twins]) + "\n", encoding="utf-8")
    out = folder / "twins.json"
    assert main(["audit", str(table), "--text", "text", "--label", "label", "--model", "tfidf", "--quiet", "--json",
                 str(out)]) == 0  # fmt: skip
    return out


def test_rows_behind_a_finding(merged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rows", str(merged)]) == 0
    count = int(re.findall(r"IN01 +(\d+) rows", capsys.readouterr().out)[0])
    assert 80 <= count < 90  # the planted ones, and texts that differ in an unknown word as well
    assert main(["rows", str(merged), "--finding", "in01"]) == 0
    shown = capsys.readouterr().out
    assert "301" in shown
    assert "case" in shown
    assert main(["rows", str(merged), "--finding", "IN01", "--csv", str(tmp_path / "o.csv")]) == 0
    written = ps.read_task(tmp_path / "o.csv", text="text", label="label")
    assert len(written) == count
    capsys.readouterr()
    assert main(["rows", str(merged), "--finding", "LB01"]) == 0
    assert main(["rows", str(merged), "--finding", "XX99"]) == 2
    assert "IN01" in capsys.readouterr().err
    assert main(["rows", str(merged), "--csv", str(tmp_path / "p.csv")]) == 2
    assert "--finding" in capsys.readouterr().err


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    named = json.loads(capsys.readouterr().out)
    assert {"minilm", "tfidf", "wordllama"} <= {m["name"] for m in named}
    assert all(m["name"] in shown and m["licence"] for m in named)
    assert next(m for m in named if m["name"] == "tfidf")["installed"] is True


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [*PRESHEAF, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait(60) == 0
    head = subprocess.run(
        f"'{sys.executable}' -m presheaf models | head -n 1", shell=True, capture_output=True, check=True
    )
    assert head.stdout.startswith(b"minilm")
    assert head.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_in_a_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PRESHEAF, "models"], stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(b"presheaf: ")
    assert done.stderr.count(b"\n") == 1


HEAVY = ("numpy", "scipy", "sklearn", "torch", "pyarrow", "pandas", "rich", "transformers", "onnxruntime", "tokenizers")


@pytest.mark.parametrize("what", ["import presheaf", "from presheaf.cli import main; main(['--version'])"])
def test_importing_is_light(what: str) -> None:
    code = f"{what}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_public_name_is_there() -> None:
    for name in ps.__all__:
        assert getattr(ps, name) is not None
        assert name in dir(ps)
    with pytest.raises(AttributeError, match="nothing"):
        ps.nothing  # noqa: B018


def test_vectors_of_another_table_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = np.random.default_rng(0).standard_normal((302, 4)).astype(np.float32)
    np.save(folder / "vectors302.npy", vectors)
    assert main(say(folder, f"audit {WORDS} --model vectors:{folder}/vectors302.npy --quiet")) == 2
    error = capsys.readouterr().err
    assert "302 vectors" in error
    assert "300 rows" in error
    # Rows that are skipped count: the last two of this table can't be used.
    line = f"audit @holes.csv --label label --on-bad-row skip --model vectors:{folder}/vectors302.npy --quiet"
    assert main(say(folder, line)) == 0


def test_the_cost_of_an_endpoint_counts_the_prompts_and_copies_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = "http://127.0.0.1:9/v1#m?batch_size=1"
    assert main(say(folder, f"audit {WORDS} --model {model} --dry-run")) == 0
    # 300 different texts, and 16 templates for each of two class names.
    assert "332 requests" in capsys.readouterr().out
