"""Fine-tuning for real: LoRA, or the last blocks, trained on the choosing half. The truth beside an audit's forecast.

The class is read off the label words after the template, by full sequences, as everywhere here; no new head is added, so
a fine-tuned model answers the same question as a prompted one.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.language.label_scores import LabelScores, TorchLanguageModel
from presheaf.language.lora_factors import LowRank
from presheaf.language.lora_weights import write_adapter
from presheaf.language.soft_prompt import LONGEST, balanced_loss, loss_apart, split_rows, token_counts
from presheaf.language.templates import Template, parse_template
from presheaf.language.training import Budget, OnStep, Trained, Trainer
from presheaf.models.files import fingerprint
from presheaf.models.optional import need

Method = Literal["lora", "last_layers"]
METHODS: tuple[Method, ...] = ("lora", "last_layers")
RATES: dict[Method, float] = {"lora": 5e-4, "last_layers": 5e-5}
"""Largest learning rates of AdamW."""


@dataclass(frozen=True, eq=False)
class FineTuned:
    """A fine-tuned copy of a language model.

    Attributes
    ----------
    network : torch module
        The copy, adapters merged into its weights, in evaluation mode.
    factors : dict of tensor name to LowRank
        What LoRA added to which weight; empty for the last blocks.
    method : "lora" or "last_layers"
    trained : Trained
    template : Template
    words : tuple of str, one a class
    rows, kept_apart : int
        Rows that were trained on, and rows that training stopped by.
    weights : int
        How many numbers were trained.
    cut : int
        Rows whose prompt lost its beginning.
    longest : int
        Most tokens of a prompt.
    """

    network: Any
    factors: dict[str, LowRank]
    method: Method
    trained: Trained
    template: Template
    words: tuple[str, ...]
    rows: int
    kept_apart: int
    weights: int
    cut: int
    longest: int

    def log_probs(
        self, model: TorchLanguageModel, texts: Sequence[str], progress: OnStep | None = None
    ) -> NDArray[np.float64]:
        """ln p(label words | prompt) in nats, shape (n, classes). ``model`` lends its tokenizer."""
        scores = LabelScores(model, self.template, self.words, network=self.network, longest=self.longest)
        return scores.all(texts, progress=progress)

    def save(self, folder: str | Path) -> None:
        """Write a peft adapter (LoRA), or the whole network as a Hugging Face folder without tokenizer (last blocks)."""
        if self.method == "lora":
            write_adapter(folder, self.factors, str(getattr(self.network.config, "_name_or_path", "")))
        else:
            self.network.save_pretrained(folder)


def fine_tune(
    model: TorchLanguageModel,
    texts: Sequence[str],
    labels: NDArray[np.integer[Any]],
    words: Sequence[str],
    template: Template | str,
    *,
    method: str = "lora",
    rank: int = 8,
    blocks: int = 2,
    budget: Budget | None = None,
    groups: NDArray[np.integer[Any]] | None = None,
    longest: int = LONGEST,
    folder: str | Path | None = None,
    seed: int = 0,
    progress: OnStep | None = None,
) -> FineTuned:
    """Train a copy of a language model on class-balanced cross-entropy over the label words' full sequences.

    Parameters
    ----------
    model : TorchLanguageModel
        Left as it is.
    texts, labels : n strings, int array of shape (n,)
        The choosing half only: rows that nothing is scored on. A quarter of them (at most 64) is kept apart; training
        stops by their loss, and the weights that were best on them are kept.
    words : sequence of str, one a class
    template : Template or str
    method : "lora" or "last_layers"
        "lora": low-rank changes of every linear map of every block (Hu et al. 2021, through peft), alpha twice the rank.
        "last_layers": the last blocks and the norm after them.
    rank : int
        Of LoRA.
    blocks : int
        How many of the last blocks.
    budget : Budget, optional
    groups : int array of shape (n,), optional
        Rows of one group are kept apart together.
    longest : int
        Most tokens of a row's prompt; a longer one loses its beginning.
    folder : path, optional
        Where a checkpoint is kept; called again with the same rows and settings, training goes on from it.
    seed : int

    Raises
    ------
    InputError
        If an option is out of range, a class has no row to train on, or the checkpoint belongs to something else.
    ModelError
        If the loss is no longer finite, the checkpoint is damaged, or blocks can't be found.
    MissingDependencyError
        If peft is needed and not installed.

    Notes
    -----
    Cost: a copy of the network; a forward and a backward pass over batch x prompt tokens a step, and a forward pass
    over the rows kept apart every ``budget.check`` steps.
    """
    chosen: Method = "lora" if one_of("method", method, METHODS) == "lora" else "last_layers"
    if rank < 1 or blocks < 1:
        raise InputError(f"'rank' and 'blocks' must be at least 1; got {rank} and {blocks}.")
    template = parse_template(template) if isinstance(template, str) else template
    budget = budget or Budget(rate=RATES[chosen])
    learn, apart = split_rows(labels, groups, len(words), seed)
    network = copy.deepcopy(model.network)
    trainable = _lora(network, rank, seed) if chosen == "lora" else _last_blocks(network, blocks)
    scores = LabelScores(model, template, words, network=trainable, longest=longest)
    prompts = scores.prompts(texts)
    y = np.asarray(labels, dtype=np.int64)
    loss = balanced_loss(y, len(words))
    parameters = {name: tensor for name, tensor in trainable.named_parameters() if tensor.requires_grad}
    trained = Trainer(
        parameters,
        lambda rows: loss(scores([prompts[i] for i in learn[rows]]), learn[rows]),
        lambda: loss_apart(scores, prompts, apart, loss),
        len(learn),
        budget,
        lengths=token_counts(prompts, learn),
        seed=seed,
        folder=folder,
        label=_label(model, chosen, rank, blocks, template, tuple(words), prompts, y.tolist()) if folder else "",
        progress=progress,
    ).run()
    weights = sum(tensor.numel() for tensor in parameters.values())
    factors = _factors(trainable) if chosen == "lora" else {}
    merged = trainable.merge_and_unload() if chosen == "lora" else trainable
    return FineTuned(
        merged.eval().requires_grad_(False),
        factors,
        chosen,
        trained,
        template,
        tuple(words),
        len(learn),
        len(apart),
        weights,
        scores.cut(texts),
        longest if scores.longest is None else scores.longest,
    )


def _label(model: TorchLanguageModel, *parts: object) -> str:
    """What a checkpoint belongs to. Reads the weights once, where the model has a fingerprint of them."""
    return fingerprint(getattr(model, "fingerprint", ""), *parts)


def _lora(network: Any, rank: int, seed: int) -> Any:
    peft = need("peft", "lm", "LoRA")
    settings = peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what peft says of its own calls into transformers is nothing a user can mend
        torch.manual_seed(seed)
        return peft.get_peft_model(network, settings).eval()


def _factors(wrapped: Any) -> dict[str, LowRank]:
    """What each adapter adds, scale multiplied in, by the name of the weight it is added to."""
    out = {}
    for name, module in wrapped.get_base_model().named_modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            down = module.lora_A["default"].weight.detach().cpu().double().numpy()
            up = module.lora_B["default"].weight.detach().cpu().double().numpy()
            out[f"{name}.weight"] = LowRank(up * module.scaling["default"], down)
    return out


def _last_blocks(network: Any, blocks: int) -> Any:
    """Leave gradients to the last blocks, and to what is neither block, embedding nor output head."""
    network.eval().requires_grad_(False)
    count = getattr(network.config, "num_hidden_layers", None)
    stacks = [m for m in network.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == count]
    if not stacks:
        raise ModelError("The network has no list of blocks, so its last ones can't be trained; use method='lora'.")
    if blocks > len(stacks[0]):
        raise InputError(f"'blocks' must be at most {len(stacks[0])}, which is all of them; got {blocks}.")
    for block in stacks[0][-blocks:]:
        block.requires_grad_(True)
    inside = {id(tensor) for tensor in stacks[0].parameters()}
    heads = [network.get_input_embeddings(), network.get_output_embeddings()]
    inside |= {id(tensor) for head in heads if head is not None for tensor in head.parameters()}
    for tensor in network.base_model.parameters():
        if id(tensor) not in inside:
            tensor.requires_grad_(True)
    return network
