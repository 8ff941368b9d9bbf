"""Label scores with gradients, and soft prompts, on a tiny Llama."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tuning_networks import NAMES, TEMPLATE, load_tiny_llama, texts_and_labels  # noqa: E402

from presheaf.errors import InputError, ModelError  # noqa: E402
from presheaf.language.label_scores import LabelScores, plan_answers  # noqa: E402
from presheaf.language.soft_prompt import balanced_loss, split_rows, tune_soft_prompt  # noqa: E402
from presheaf.language.templates import parse_template  # noqa: E402
from presheaf.language.training import Budget, Trainer, batch_rows  # noqa: E402

WORDS = ("good", "really bad", "goodness me", "really good")


@pytest.fixture(scope="module", params=[False, True], ids=["no start token", "start token"])
def model(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tiny_llama(tmp_path_factory.mktemp("llama"), bos=request.param, dtype="float64")


def test_scores_are_those_of_the_model(model: Any) -> None:
    """Words of one and of many tokens, words that begin alike, prompts of different length, the empty text."""
    template = parse_template(TEMPLATE)
    texts = [*texts_and_labels(5)[0], "", "sun"]
    ours = LabelScores(model, template, WORDS).all(texts)
    theirs = np.array(model.score([template.question(text, WORDS) for text in texts]))
    assert np.abs(ours - theirs).max() < 1e-5  # norms and rotary angles stay in float32


def test_a_prompt_without_any_token(model: Any) -> None:
    template = parse_template("{text}{label}")
    (first,) = model.tokens("bad")
    ours = LabelScores(model, template, NAMES)([()]).detach().numpy()
    assert ours[0, 1] == pytest.approx(float(model.next_log_probs([()])[0, first]), abs=1e-5)


def test_a_long_prompt_loses_its_beginning(model: Any) -> None:
    template = parse_template(TEMPLATE)
    long, short = "rain " * 60 + "the sun", " rain the sun"
    scores = LabelScores(model, template, NAMES, longest=model.count(template.prompt(short)))
    assert scores.cut([long, short]) == 1
    assert np.allclose(*scores.all([long, short]), atol=1e-9)
    with pytest.raises(ModelError, match="no room"):
        LabelScores(model, template, NAMES, reserved=128)


def test_free_vectors_that_are_embeddings_are_tokens(model: Any) -> None:
    """Vectors that are the embeddings of some words do what these words do in front of the text."""
    words = " the film"
    template, texts = parse_template(TEMPLATE), [" sun", " rain and a plot"]
    ids = model.tokens(words)
    assert model.tokens(template.prompt(words + texts[1])) == ids + model.tokens(template.prompt(texts[1]))
    free = model.network.get_input_embeddings()(torch.tensor(ids)).detach()
    scores = LabelScores(model, template, WORDS)
    assert np.allclose(scores.all(texts, free), scores.all([words + text for text in texts]), atol=1e-5)


def test_gradients_are_those_of_differences(model: Any) -> None:
    scores = LabelScores(model, parse_template(TEMPLATE), NAMES)
    prompts = scores.prompts(["the sun", "rain"])
    free = torch.randn(2, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = scores(prompts, free).sum()
    (gradient,) = torch.autograd.grad(loss, free)
    step = torch.zeros_like(free)
    step[1, 3] = 1e-2
    with torch.no_grad():
        slope = (scores(prompts, free + step).sum() - scores(prompts, free - step).sum()) / 2e-2
    assert float(gradient[1, 3]) == pytest.approx(float(slope), rel=2e-2, abs=1e-4)


def test_answers_that_share_tokens_share_passes() -> None:
    plan = plan_answers([(1,), (2, 3), (2, 4), (2, 3, 5)])
    assert plan.heads == ((2, 3),)
    assert plan.owner == (0, 0, 0, 0)
    assert plan_answers([(1,), (2,)]).heads == ((),)
    with pytest.raises(InputError, match="at least one token"):
        plan_answers([(1,), ()])
    with pytest.raises(InputError, match="differ"):
        plan_answers([(1,), (1,)])


def test_balanced_loss_by_hand() -> None:
    """Three rows of class 0 and one of class 1: weights 4 / (2 x 3) and 4 / (2 x 1)."""
    loss = balanced_loss(np.array([0, 0, 0, 1]), 2)
    scores = torch.log(torch.tensor([[0.5, 0.5], [0.75, 0.25]], dtype=torch.float64))
    expected = (2 / 3 * np.log(2) + 2 * np.log(4)) / 2
    assert float(loss(scores, np.array([0, 3]))) == pytest.approx(expected)


def test_rows_kept_apart_are_whole_groups_of_every_class() -> None:
    labels = np.arange(80) % 2
    groups = np.arange(80) // 4
    learn, apart = split_rows(labels, groups, 2, 0)
    assert not set(groups[learn]) & set(groups[apart])
    assert len(learn) + len(apart) == 80
    # Of many rows no more are kept apart than training stops by; nearly all others are trained on.
    learn, apart = split_rows(np.arange(600) % 2, None, 2, 0)
    assert len(apart) <= 64
    assert len(learn) >= 520
    with pytest.raises(InputError, match="every class"):
        split_rows(np.zeros(8, dtype=int), None, 2, 0)
    with pytest.raises(InputError, match="below 2"):
        split_rows(np.array([0, 1, 2]), None, 2, 0)


def test_an_epoch_shows_every_row_once() -> None:
    seen = np.concatenate([batch_rows(12, 4, step, 7) for step in range(3)])
    assert sorted(seen) == list(range(12))
    assert not np.array_equal(batch_rows(12, 4, 0, 7), batch_rows(12, 4, 3, 7))
    assert np.array_equal(batch_rows(3, 8, 5, 7), batch_rows(3, 8, 5, 7))
    assert sorted(batch_rows(3, 8, 5, 7)) == [0, 1, 2]


def test_rows_of_about_equal_length_share_a_batch() -> None:
    lengths = np.random.default_rng(0).integers(5, 90, 450)
    batches = [batch_rows(450, 8, step, 3, lengths) for step in range(2 * 56)]
    for epoch in (batches[:56], batches[56:]):
        assert len(set(np.concatenate(epoch).tolist())) == 448
    padded = sum(8 * lengths[rows].max() for rows in batches) / sum(lengths[rows].sum() for rows in batches)
    drawn = [batch_rows(450, 8, step, 3) for step in range(56)]
    assert padded < 1.1 < 1.5 < sum(8 * lengths[rows].max() for rows in drawn) / lengths.sum()
    # Short rows do not come first: batches are shuffled again, anew each epoch.
    means = [float(lengths[rows].mean()) for rows in batches]
    assert abs(np.corrcoef(np.arange(56), means[:56])[0, 1]) < 0.4
    assert means[:56] != means[56:]
    assert np.array_equal(batches[70], batch_rows(450, 8, 70, 3, lengths))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny Llama fine-tuned to say "good" after a sign, and its opposite without: a soft prompt can find the sign."""
    from presheaf.language.fine_tune import fine_tune

    model = load_tiny_llama(tmp_path_factory.mktemp("planted"))
    texts, labels = texts_and_labels(60)
    # Without the sign the model answers at random; with " plot plot" in front it answers the task.
    texts = [*(f" plot plot {text}" for text in texts), *texts]
    noise = np.random.default_rng(3).integers(0, 2, 60)
    tuned = fine_tune(
        model,
        texts,
        np.concatenate([labels, noise]),
        NAMES,
        TEMPLATE,
        rank=16,
        budget=Budget(steps=150, batch=16, rate=2e-2, patience=20),
    )
    model.network.load_state_dict(tuned.network.state_dict())
    return model


def test_tuning_lowers_the_loss_leaves_the_weights_and_repeats(planted: Any) -> None:
    texts, labels = texts_and_labels(60, seed=1)
    before = {name: tensor.clone() for name, tensor in planted.network.state_dict().items()}
    budget = Budget(steps=60, rate=0.3, patience=20)
    told: list[tuple[int, int]] = []
    tuned = tune_soft_prompt(
        planted,
        texts,
        labels,
        NAMES,
        TEMPLATE,
        length=4,
        budget=budget,
        null=False,
        progress=lambda *at: told.append(at),
    )
    again = tune_soft_prompt(planted, texts, labels, NAMES, TEMPLATE, length=4, budget=budget, null=False)
    assert np.array_equal(tuned.vectors, again.vectors)
    assert tuned.trained.loss < 0.8 * tuned.trained.history[0][1]
    assert told[-1] == (60, 60)
    assert all(torch.equal(before[name], tensor) for name, tensor in planted.network.state_dict().items())
    assert all(tensor.requires_grad for tensor in planted.network.parameters())
    held_out, truth = texts_and_labels(100, seed=2)
    accuracy = (tuned.log_probs(planted, held_out).argmax(axis=1) == truth).mean()
    assert accuracy > 0.8
    with pytest.raises(InputError, match="without its null"):
        tuned.log_probs(planted, held_out, null=True)


def test_permuted_labels_reach_nothing(planted: Any) -> None:
    texts, labels = texts_and_labels(60, seed=1)
    tuned = tune_soft_prompt(planted, texts, labels, NAMES, TEMPLATE, budget=Budget(steps=30, rate=0.3))
    held_out, truth = texts_and_labels(200, seed=2)
    accuracy = (tuned.log_probs(planted, held_out, null=True).argmax(axis=1) == truth).mean()
    assert 0.2 < accuracy < 0.8


def test_ctrl_c_keeps_the_best_so_far() -> None:
    tensor = torch.zeros(1, requires_grad=True)

    def loss(rows: Any) -> Any:
        if trainer._state.step == 25:
            raise KeyboardInterrupt
        return (tensor - 3).square().sum()

    trainer = Trainer(
        {"x": tensor}, loss, lambda: float((tensor.detach() - 3).square()), 8, Budget(steps=100, rate=0.05, check=5)
    )
    trained = trainer.run()
    assert trained.stopped == "interrupted"
    assert trained.steps == 25
    assert trained.best_step == 25
    assert float((tensor.detach() - 3).square()) == pytest.approx(trained.loss)


def test_training_stops_when_it_is_no_longer_better_and_returns_the_best() -> None:
    tensor = torch.zeros(1, requires_grad=True)
    trained = Trainer(
        {"x": tensor},
        lambda rows: (tensor - 3).square().sum(),
        lambda: float((tensor.detach() - 1).square()),
        8,
        Budget(steps=1000, rate=0.5, check=1, patience=3),
    ).run()
    assert trained.stopped == "no longer better"
    assert trained.steps == trained.best_step + 3
    assert float((tensor.detach() - 1).square()) == pytest.approx(trained.loss)
    assert trained.loss == min(loss for _, loss in trained.history)


def test_a_budget_in_seconds_and_a_loss_that_blows_up() -> None:
    tensor = torch.zeros(1, requires_grad=True)
    quick = Trainer(
        {"x": tensor},
        lambda rows: (tensor - 3).square().sum(),
        lambda: float(tensor.detach() ** 2),
        8,
        Budget(seconds=1e-9),
    ).run()
    assert (quick.stopped, quick.steps) == ("seconds", 0)
    with pytest.raises(ModelError, match="lower 'rate'"):
        Trainer({"x": tensor}, lambda rows: tensor.sum() / 0, lambda: 0.0, 8, Budget()).run()
    with pytest.raises(InputError, match="steps"):
        Budget(steps=0)
    with pytest.raises(InputError, match="rate"):
        Budget(rate=0)


def test_options_that_are_refused(planted: Any) -> None:
    texts, labels = texts_and_labels(12)
    with pytest.raises(InputError, match="length"):
        tune_soft_prompt(planted, texts, labels, NAMES, TEMPLATE, length=0)
    with pytest.raises(InputError, match="ends in"):
        tune_soft_prompt(planted, texts, labels, NAMES, "{text}")
