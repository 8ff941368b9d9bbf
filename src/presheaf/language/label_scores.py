"""ln p(label words | prompt) of a torch network with gradients: what soft prompts and fine-tuning are trained on."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.language.templates import Template
from presheaf.models.lm.base import Tokens
from presheaf.models.lm.tokenizer import LmTokenizer

SEQUENCE_TOKENS = 1024
"""Most tokens of one forward pass when rows are scored without gradients."""


class TorchLanguageModel(Protocol):
    """A language model whose torch network and tokenizer are at hand (`presheaf.models.lm.causal.CausalLM`)."""

    @property
    def network(self) -> Any: ...

    @property
    def tokenizer(self) -> Any: ...

    @property
    def window(self) -> int | None: ...


@dataclass(frozen=True)
class Plan:
    """How the label words are read off few passes: answers that share all tokens but the last share one.

    Attributes
    ----------
    answers : tuple of token tuples, one a class
    heads : tuple of token tuples
        What is written after the prompt, one pass each.
    owner : tuple of int
        For each class the head that its answer is read off.
    """

    answers: tuple[Tokens, ...]
    heads: tuple[Tokens, ...]
    owner: tuple[int, ...]

    @property
    def longest(self) -> int:
        return max(map(len, self.heads))


def plan_answers(answers: Sequence[Tokens]) -> Plan:
    """The fewest passes that score every answer's full token sequence.

    Raises
    ------
    InputError
        If an answer has no token, or two are the same.
    """
    if any(not answer for answer in answers):
        raise InputError("Every class needs label words of at least one token; one has none.")
    if len(set(answers)) != len(answers):
        raise InputError("The classes must have label words that differ as tokens; two classes have the same.")
    stems = {answer[:-1] for answer in answers}
    heads = tuple(sorted(s for s in stems if not any(o != s and o[: len(s)] == s for o in stems)))
    owner = tuple(next(h for h, head in enumerate(heads) if head[: len(a) - 1] == a[:-1]) for a in answers)
    return Plan(tuple(answers), heads, owner)


class LabelScores:
    """Scores of a network on a template with label words, differentiable.

    Parameters
    ----------
    model : TorchLanguageModel
        Its tokenizer and window are used, and tokens are put together as its `score` does it.
    template : Template
    words : sequence of str, one a class
    network : torch module, optional
        Another network of the same architecture and tokens; the model's own by default.
    reserved : int
        Places at the beginning that free vectors will take.
    longest : int or None
        Most tokens of a prompt; one that is longer loses its beginning. None: what the window allows.
    """

    def __init__(
        self,
        model: TorchLanguageModel,
        template: Template,
        words: Sequence[str],
        *,
        network: Any = None,
        reserved: int = 0,
        longest: int | None = None,
    ) -> None:
        self._words = LmTokenizer(model.tokenizer)
        self._template = template
        self.network = model.network if network is None else network
        self._keeps = "logits_to_keep" in inspect.signature(model.network.forward).parameters
        self.plan = plan_answers(self._words.tokens(template.answers(words), continuing=True))
        taken = reserved + self.plan.longest + len(self._words.start)
        room = None if model.window is None else model.window - taken
        self.longest = room if longest is None else longest if room is None else min(longest, room)
        if self.longest is not None and self.longest < 1:
            raise ModelError(f"The window of {model.window} tokens has no room for a prompt beside the label words.")

    @property
    def classes(self) -> int:
        return len(self.plan.answers)

    @property
    def device(self) -> Any:
        return self.network.get_input_embeddings().weight.device

    def prompts(self, texts: Sequence[str]) -> list[Tokens]:
        """Prompts as tokens, without special ones, cut to `longest` at their beginning."""
        return [tokens if self.longest is None else tokens[-self.longest :] for tokens in self._whole(texts)]

    def cut(self, texts: Sequence[str]) -> int:
        """How many of these rows lose the beginning of their prompt."""
        return 0 if self.longest is None else sum(len(tokens) > self.longest for tokens in self._whole(texts))

    def _whole(self, texts: Sequence[str]) -> list[Tokens]:
        return self._words.tokens([self._template.prompt(text) for text in texts])

    def __call__(self, prompts: Sequence[Tokens], free: Any = None) -> Any:
        """ln p(answer | prompt) in nats, a tensor of shape (n, classes).

        Parameters
        ----------
        prompts : n token tuples
        free : tensor of shape (length, d), optional
            Vectors in embedding space, put in front of every prompt, behind the special tokens that begin a text.

        Raises
        ------
        ModelError
            If nothing stands before the label words.

        Notes
        -----
        Cost: one sequence a prompt and head; a single one a prompt when every answer has one token.
        """
        heads = self.plan.heads
        room = 0 if free is None else len(free)
        sequences = [self._begin(prompt, room) + prompt + head for prompt in prompts for head in heads]
        ids, mask = self._pad(sequences)
        embedded = self.network.get_input_embeddings()(ids)
        if free is not None:
            first = ids.shape[1] - mask.sum(dim=1) + len(self._words.start)
            places = first[:, None] + torch.arange(room, device=ids.device)
            rows = torch.arange(len(sequences), device=ids.device)[:, None]
            embedded = embedded.index_put((rows, places), free.to(embedded.dtype).expand(len(sequences), -1, -1))
        keep = self.plan.longest + 1
        said = self.network(
            inputs_embeds=embedded,
            attention_mask=mask,
            position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
            use_cache=False,
            **({"logits_to_keep": keep} if self._keeps else {}),
        ).logits[:, -keep:]
        said = said if said.dtype == torch.float64 else said.float()
        log_probs = said.log_softmax(dim=-1).reshape(len(prompts), len(heads), keep, -1)
        scores = []
        for answer, owner in zip(self.plan.answers, self.plan.owner, strict=True):
            first = keep - 1 - len(heads[owner])
            places = torch.arange(first, first + len(answer), device=ids.device)
            scores.append(log_probs[:, owner, places, torch.tensor(answer, device=ids.device)].sum(dim=-1))
        return torch.stack(scores, dim=1)

    def all(self, texts: Sequence[str], free: Any = None, progress: Any = None) -> NDArray[np.float64]:
        """Scores of many rows without gradients, longest first in blocks of bounded size. Shape (n, classes).

        Raises
        ------
        ModelError
            If a score is nan.
        """
        prompts = self.prompts(texts)
        out = np.empty((len(prompts), self.classes))
        order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
        done = 0
        with torch.inference_mode():
            while done < len(order):
                width = len(prompts[order[done]]) + self.plan.longest + (0 if free is None else len(free))
                block = order[done : done + max(1, SEQUENCE_TOKENS // (width * len(self.plan.heads)))]
                out[block] = self([prompts[i] for i in block], free).double().cpu().numpy()
                done += len(block)
                if progress is not None:
                    progress(done, len(order))
        if np.isnan(out).any():
            raise ModelError(
                f"The network gave no number for {int(np.isnan(out).any(axis=1).sum())} rows in a padded batch."
            )
        return out

    def _begin(self, prompt: Tokens, room: int) -> Tokens:
        """What stands before a prompt: special tokens, and places for free vectors."""
        if room or prompt or self._words.start:
            return self._words.start + (0,) * room
        if not self._words.empty:
            raise ModelError("A prompt has no token, and the tokenizer names none that stands for the empty text.")
        return self._words.empty

    def _pad(self, sequences: Sequence[Tokens]) -> tuple[Any, Any]:
        """Ids and mask, padded on the left so that all sequences end together."""
        width = max(map(len, sequences))
        ids = torch.zeros((len(sequences), width), dtype=torch.long)
        mask = torch.zeros((len(sequences), width), dtype=torch.long)
        for row, tokens in enumerate(sequences):
            ids[row, width - len(tokens) :] = torch.tensor(tokens)
            mask[row, width - len(tokens) :] = 1
        return ids.to(self.device), mask.to(self.device)
