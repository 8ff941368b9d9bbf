"""The grid: each question once, in chunks, kept whatever stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from prompting_worlds import CueModel

import presheaf.language.grid as grid_module
from presheaf.language.grid import Ask, score_grid
from presheaf.language.score_store import ScoreStore
from presheaf.language.templates import parse_template

TEXTS = [f"{i} " + "+" * (i % 3) + "-" * (i % 5) for i in range(60)]
SETS = (("bad", "good"), ("Bad", "Good"))
ASKS = [Ask(parse_template(t), SETS) for t in ("{text} {label}", "Note: {text}\nMood: {label}", "{text}\n{label}")]


def test_every_number_is_the_models_own():
    model = CueModel(leaning=0.3)
    got = score_grid(model, ASKS, TEXTS)
    assert [scores.shape for scores in got.scores] == [(60, 2, 2)] * 3
    for ask, scores in zip(ASKS, got.scores, strict=True):
        for i, text in enumerate(TEXTS):
            for j, words in enumerate(SETS):
                expected = [model.one(ask.template.prompt(text), word) for word in words]
                np.testing.assert_array_equal(scores[i, j], expected)


def test_label_words_of_one_prompt_are_asked_together_and_equal_rows_once():
    model = CueModel()
    got = score_grid(model, ASKS, [*TEXTS, *TEXTS])
    assert model.asked == got.asked == 180
    np.testing.assert_array_equal(got.scores[0][:60], got.scores[0][60:])


def test_chunks_change_nothing(monkeypatch):
    whole = score_grid(CueModel(), ASKS, TEXTS)
    monkeypatch.setattr(grid_module, "QUESTIONS_AT_ONCE", 7)
    for one, other in zip(whole.scores, score_grid(CueModel(), ASKS, TEXTS).scores, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_rows_give_empty_arrays():
    assert score_grid(CueModel(), ASKS, []).scores[0].shape == (0, 2, 2)


def test_what_was_scored_before_ctrl_c_is_not_asked_again(tmp_path):
    model = CueModel()
    model.stop_after = 50
    told = []
    with pytest.raises(KeyboardInterrupt):
        score_grid(model, ASKS, TEXTS, store=ScoreStore(model.fingerprint, tmp_path))
    again = CueModel()
    store = ScoreStore(again.fingerprint, tmp_path)
    got = score_grid(again, ASKS, TEXTS, store=store, progress=lambda done, total: told.append((done, total)))
    assert (got.kept, got.asked, again.asked) == (50, 130, 130)
    assert told[0] == (50, 180)
    assert told[-1] == (180, 180)
    for one, other in zip(got.scores, score_grid(CueModel(), ASKS, TEXTS).scores, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_killed_process_loses_no_more_than_it_had_not_written(tmp_path):
    program = (
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_prompting_grid as t\n"
        "class Slow(t.CueModel):\n"
        "    def one(self, prompt, answer):\n"
        "        time.sleep(0.01)\n"
        "        return super().one(prompt, answer)\n"
        "model = Slow()\n"
        "t.score_grid(model, t.ASKS, t.TEXTS, store=t.ScoreStore(model.fingerprint, sys.argv[1]))\n"
    )
    model = CueModel()
    store = ScoreStore(model.fingerprint, tmp_path)
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    try:
        for _ in range(600):
            if store.path.exists() and store.path.stat().st_size > 0:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    got = score_grid(model, ASKS, TEXTS, store=store)
    assert 0 < got.kept < 180
    for one, other in zip(got.scores, score_grid(CueModel(), ASKS, TEXTS).scores, strict=True):
        np.testing.assert_array_equal(one, other)
