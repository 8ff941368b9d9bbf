"""A soft prompt in embedding space: free vectors in front of the written prompt, found by gradient, weights frozen.

Lester, Al-Rfou and Constant (2021). By the Yoneda lemma a prompt that need not be an object could be any presheaf; what
gradient descent finds on some rows is only what it found, so nothing here ever says that a task is out of reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.language.label_scores import LabelScores, TorchLanguageModel
from presheaf.language.templates import Template, parse_template
from presheaf.language.training import Budget, OnStep, Trained, Trainer
from presheaf.models.lm.base import Tokens
from presheaf.statistics.splits import folds

LENGTH = 8
LONGEST = 160
"""Most tokens of a row's prompt while a prompt or weights are trained."""
KEPT_APART = 64
"""Most rows that training stops by."""
STEP = 0.1
"""Largest learning rate as a share of the root mean square of the network's embeddings."""


@dataclass(frozen=True, eq=False)
class TunedSoftPrompt:
    """Free vectors for a template and label words.

    Attributes
    ----------
    vectors : float32 array of shape (length, d)
        In front of every prompt.
    trained : Trained
        How training went; ``trained.best_step`` 0 means that nothing beat the start on the rows kept apart.
    null : float32 array of the same shape, or None
        The same, trained on permuted labels.
    template : Template
    words : tuple of str, one a class
    rows, kept_apart : int
        Rows that were trained on, and rows that training stopped by.
    cut : int
        Rows whose prompt lost its beginning.
    longest : int
        Most tokens of a prompt.
    """

    vectors: NDArray[np.float32]
    trained: Trained
    null: NDArray[np.float32] | None
    template: Template
    words: tuple[str, ...]
    rows: int
    kept_apart: int
    cut: int
    longest: int

    def log_probs(
        self, model: TorchLanguageModel, texts: Sequence[str], *, null: bool = False, progress: OnStep | None = None
    ) -> NDArray[np.float64]:
        """ln p(label words | soft prompt, prompt) in nats, shape (n, classes); of the null's vectors with ``null``.

        Raises
        ------
        InputError
            If the null is asked for and was not trained.
        """
        if null and self.null is None:
            raise InputError("This soft prompt was tuned without its null: pass null=True to tune_soft_prompt.")
        vectors = self.null if null else self.vectors
        assert vectors is not None
        scores = LabelScores(model, self.template, self.words, reserved=len(vectors), longest=self.longest)
        return scores.all(texts, torch.from_numpy(vectors).to(scores.device), progress)


def tune_soft_prompt(
    model: TorchLanguageModel,
    texts: Sequence[str],
    labels: NDArray[np.integer[Any]],
    words: Sequence[str],
    template: Template | str,
    *,
    length: int = LENGTH,
    budget: Budget | None = None,
    groups: NDArray[np.integer[Any]] | None = None,
    longest: int = LONGEST,
    null: bool = True,
    seed: int = 0,
    progress: OnStep | None = None,
) -> TunedSoftPrompt:
    """Train ``length`` free vectors by AdamW on class-balanced cross-entropy over the label words' full sequences.

    A quarter of the rows (at most 64) is kept apart; training stops by their loss, and the vectors that were best on
    them are returned. Vectors start as embeddings of tokens drawn from the prompts. Ctrl-C keeps the best so far.

    Parameters
    ----------
    model : TorchLanguageModel
        Its weights are left as they are.
    texts, labels : n strings, int array of shape (n,)
        The choosing half only: rows that nothing is scored on.
    words : sequence of str, one a class
    template : Template or str
    length : int
    budget : Budget, optional
        Its rate is relative to the size of the network's embeddings. With a null, each of the two gets half of its
        seconds.
    groups : int array of shape (n,), optional
        Rows of one group are kept apart together.
    longest : int
        Most tokens of a row's prompt; a longer one loses its beginning.
    null : bool
        Also train on permuted labels, at the same price: what vectors reach that learnt nothing of the task.
    seed : int

    Raises
    ------
    InputError
        If an option is out of range, a class has no row to train on, or words don't fit the labels.
    ModelError
        If a prompt is empty, the window too small, or the loss is no longer finite.

    Notes
    -----
    Cost: a forward and a backward pass over batch x (length + prompt) tokens a step, and a forward pass over the rows
    kept apart every ``budget.check`` steps; twice that with a null.
    """
    if length < 1:
        raise InputError(f"'length' must be at least 1; got {length}.")
    template = parse_template(template) if isinstance(template, str) else template
    budget = budget or Budget(rate=STEP)
    part = split_rows(labels, groups, len(words), seed)
    scores = LabelScores(model, template, words, reserved=length, longest=longest)
    prompts = scores.prompts(texts)
    share = budget if not null else _half(budget)
    y = np.asarray(labels, dtype=np.int64)
    vectors, trained = _tune(scores, prompts, y, part, length, share, seed, progress)
    other = None
    if null and trained.stopped != "interrupted":
        permuted = np.random.default_rng([seed, 1]).permutation(y)
        other, _ = _tune(scores, prompts, permuted, part, length, share, seed, progress)
    return TunedSoftPrompt(
        vectors,
        trained,
        other,
        template,
        tuple(words),
        len(part[0]),
        len(part[1]),
        scores.cut(texts),
        longest if scores.longest is None else scores.longest,
    )


def split_rows(
    labels: NDArray[np.integer[Any]], groups: NDArray[np.integer[Any]] | None, classes: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions to train on, and a quarter of the rows (about 64 where that is fewer) to stop by; groups whole.

    Raises
    ------
    InputError
        If there are not enough rows, or a class has none to train on.
    """
    y = np.asarray(labels, dtype=np.int64)
    if y.ndim != 1 or (len(y) and (y.min() < 0 or y.max() >= classes)):
        raise InputError(f"'labels' must be one number below {classes} a row, one class for each of the words.")
    together = np.arange(len(y)) if groups is None else np.asarray(groups, dtype=np.int64)
    fold = folds(together, y, max(4, len(y) // KEPT_APART), seed)
    learn, apart = np.flatnonzero(fold != 0), np.flatnonzero(fold == 0)
    missing = [c for c in range(classes) if not np.any(y[learn] == c)]
    if missing or not len(apart):
        raise InputError(f"Training needs some rows of every class; of {len(y)} rows, classes {missing} have too few.")
    apart = np.sort(np.random.default_rng([seed, 2]).permutation(apart)[:KEPT_APART])
    return learn, apart


def balanced_loss(labels: NDArray[np.int64], classes: int) -> Any:
    """Cross-entropy of scores in which every class that occurs weighs the same: callable (scores, positions)."""
    count = np.bincount(labels, minlength=classes)
    share = len(labels) / max(1, int(np.sum(count > 0)))
    weight = np.where(count > 0, share / np.maximum(count, 1), 0.0)

    def loss(scores: Any, positions: NDArray[np.int64]) -> Any:
        rows = torch.from_numpy(weight[labels[positions]]).to(scores)
        truth = torch.from_numpy(labels[positions]).to(scores.device)
        return (rows * torch.nn.functional.cross_entropy(scores, truth, reduction="none")).mean()

    return loss


def loss_apart(
    scores: LabelScores, prompts: Sequence[Tokens], apart: NDArray[np.int64], loss: Any, free: Any = None
) -> float:
    """The loss on the rows kept apart, in nats, without gradients; rows of about equal length are run together."""
    order = apart[np.argsort(token_counts(prompts, apart), kind="stable")]
    with torch.no_grad():
        blocks = [order[i : i + 8] for i in range(0, len(order), 8)]
        said = torch.cat([scores([prompts[i] for i in block], free) for block in blocks])
        return float(loss(said, order))


def token_counts(prompts: Sequence[Tokens], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many tokens these prompts have. Shape (positions,)."""
    return np.array([len(prompts[i]) for i in positions], dtype=np.int64)


def _tune(
    scores: LabelScores,
    prompts: Sequence[Tokens],
    labels: NDArray[np.int64],
    part: tuple[NDArray[np.int64], NDArray[np.int64]],
    length: int,
    budget: Budget,
    seed: int,
    progress: OnStep | None,
) -> tuple[NDArray[np.float32], Trained]:
    learn, apart = part
    table = scores.network.get_input_embeddings()
    drawn = np.random.default_rng([seed, 3]).choice(np.concatenate([prompts[i] for i in learn]), length)
    with torch.no_grad():
        # As the network's own layer gives them: some scale what they look up.
        free = table(torch.from_numpy(drawn).to(scores.device)).float().clone()
        size = float(table.weight.float().square().mean().sqrt()) or 1.0
    free.requires_grad_(True)
    loss = balanced_loss(labels, scores.classes)
    with _frozen(scores.network):
        trained = Trainer(
            {"free": free},
            lambda rows: loss(scores([prompts[i] for i in learn[rows]], free), learn[rows]),
            lambda: loss_apart(scores, prompts, apart, loss, free),
            len(learn),
            _scaled(budget, size),
            lengths=token_counts(prompts, learn),
            seed=seed,
            progress=progress,
        ).run()
    return free.detach().cpu().numpy().astype(np.float32), trained


class _frozen:
    """No gradient for the weights inside; what was trainable before is again after."""

    def __init__(self, network: Any) -> None:
        self._tensors = [tensor for tensor in network.parameters() if tensor.requires_grad]

    def __enter__(self) -> None:
        for tensor in self._tensors:
            tensor.requires_grad_(False)

    def __exit__(self, *error: object) -> None:
        for tensor in self._tensors:
            tensor.requires_grad_(True)


def _half(budget: Budget) -> Budget:
    return budget if budget.seconds is None else replace(budget, seconds=budget.seconds / 2)


def _scaled(budget: Budget, size: float) -> Budget:
    return replace(budget, rate=budget.rate * size)
