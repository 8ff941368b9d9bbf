"""The causal language model: the task whose category has texts as objects and pi(y | x) as hom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError
from presheaf.models.optional import need
from presheaf.models.tokens import texts_only
from presheaf.pretext.base import Data, HeldOut, TaskCategory
from presheaf.pretext.text_contexts import contexts_and_followers, continuation_hom
from presheaf.pretext.text_extensions import extension_rows
from presheaf.pretext.text_losses import TextLoss, text_loss
from presheaf.pretext.text_sizes import TextTask
from presheaf.pretext.text_vocabulary import CAUSAL, Tokens

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_END = CAUSAL.index("<|end|>")
_NO_TARGET = -100
"""Target of padding, which torch's cross entropy leaves out."""
_AT_ONCE = 64


class CausalText(TextTask):
    """Predict the next token (Bengio et al. 2003, A neural probabilistic language model) with a small Llama.

    Parameters
    ----------
    vocabulary : int
        Most tokens of the byte-pair vocabulary, which is trained on the training texts.
    window : int
        Most tokens the network takes.
    dim, layers, heads : int
        Of the transformer; ``dim`` is a multiple of ``2 * heads``.

    Raises
    ------
    InputError
        If an option is out of range.

    Notes
    -----
    Each text ends with an end token. The texts of a batch stand in a circle, which is cut into windows at a place drawn anew:
    every token is predicted once, from up to ``window`` tokens before it, and a window may begin anywhere in a text. So the
    optimum for the first places of a window is the frequency with which the text goes on from one or two tokens, and that
    is the hom that ideality is measured against (`held_out`). Loss in nats a token; ln(vocabulary) for a model that knows
    nothing. Cost of a step: one pass over the batch's tokens.
    """

    name = "causal"
    special = CAUSAL
    category = TaskCategory(
        objects="prefixes of texts, as tuples of tokens",
        hom="pi(y | x): the probability that a text which goes x goes on to y; 0 where y does not begin with x",
        quantale=PROBABILITY,
        orientation="directed",
        variance="covariant",
        source="Bradley, Terilla, Vlassopoulos 2021, An enriched category theory of language",
    )

    def network(self, data: Data) -> Module:
        """A `TextNetwork` around a LlamaForCausalLM with tied embeddings.

        Raises
        ------
        InputError
            If ``data`` holds no texts, or only empty ones.
        """
        transformers = need("transformers", "pretext", "A causal language model")
        from presheaf.pretext.text_network import TextNetwork

        words = self.words(data)
        config = transformers.LlamaConfig(
            vocab_size=len(words),
            hidden_size=self._sizes["dim"],
            intermediate_size=4 * self._sizes["dim"],
            num_hidden_layers=self._sizes["layers"],
            num_attention_heads=self._sizes["heads"],
            num_key_value_heads=self._sizes["heads"],
            max_position_embeddings=self._sizes["window"],
            tie_word_embeddings=True,
            bos_token_id=_END,
            eos_token_id=_END,
            pad_token_id=None,
        )
        return TextNetwork(transformers.LlamaForCausalLM(config), words).train()

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        import torch

        stream = network.vocabulary.stream([data.train[row] for row in rows.tolist()])
        start = int(torch.randint(len(stream), ()))
        circle = torch.from_numpy(np.roll(stream, -start))
        return _nats(network, circle, torch.roll(circle, -1)).mean()

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """Contexts of one and two tokens, and continuations of each; hom: how often held-out text goes on so.

        Objects are tuples of tokens, chosen by their frequency in the training texts; half of the continuations end with a
        common token drawn at random. Rows are compared over the objects listed. Counts of a finite text are not the law it
        is drawn from, so an ideal model would not reach 0 either.

        Raises
        ------
        InputError
            If no context occurs often enough in the held-out texts.
        """
        words = self.words(data)
        train, test = words.stream(data.train), words.stream(data.test)
        objects = contexts_and_followers(train, test, size, seed)
        # Contexts that begin with one token share continuations.
        first = np.array([tokens[0] for tokens in objects], dtype=np.int64)
        return HeldOut(objects, continuation_hom(objects, test), "rows", first)

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """Each text's tokens with -ln pi(tokens | first token), in nats; see `extension_rows`. Strings are made tokens first.

        Shape (n, window + 1). Cost: one pass over the objects.

        Raises
        ------
        InputError
            If an object is empty or longer than the window.
        """
        from presheaf.pretext.text_network import evaluating

        tokens = _as_tokens(network, objects)
        surprise = np.zeros(len(tokens))
        with evaluating(network):
            for first in range(0, len(tokens), _AT_ONCE):
                some = tokens[first : first + _AT_ONCE]
                surprise[first : first + len(some)] = _surprise(network, some)
        return extension_rows(tokens, surprise, network.window)

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        return hom_from_features(features, self.kernel, "-ln pi of the network")

    def score(self, network: Module, texts: Sequence[str]) -> TextLoss:
        """Cross entropy of whole texts: each from the end of another on, its own end predicted too (as one character).

        A text longer than the window is read in windows that share one token. Cost: one pass over the texts.

        Raises
        ------
        InputError
            If there is no text.
        """
        import torch

        from presheaf.pretext.text_network import evaluating

        nats, counts = [], []
        with evaluating(network):
            for text in texts_only(texts):
                tokens = torch.tensor([_END, *network.vocabulary.encode([text])[0], _END])
                nats.append(float(_nats(network, tokens[:-1], tokens[1:]).sum()))
                counts.append(len(tokens) - 1)
        return text_loss(nats, counts, [len(text) + 1 for text in texts])

    def save(self, network: Module, data: Data, folder: Path) -> str:
        """A Llama folder of transformers; ``lm:FOLDER``."""
        network.save(folder)
        return f"lm:{folder}"


def _nats(network: Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """-ln p of each target from the inputs up to its place, in windows one after another. Shape (tokens,)."""
    import torch

    width = min(network.window, len(inputs))
    missing = -len(inputs) % width
    pad = torch.nn.functional.pad
    device = network.device
    windows = pad(inputs, (0, missing), value=_END).view(-1, width).to(device)
    wanted = pad(targets, (0, missing), value=_NO_TARGET).to(device)
    logits = network(windows, use_cache=False).flatten(0, 1)
    nats: Tensor = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=_NO_TARGET, reduction="none")
    return nats[: len(inputs)]


def _surprise(network: Module, objects: Sequence[Tokens]) -> NDArray[np.float64]:
    """-ln pi(tokens | first token) of some objects, padded to the longest. Shape (n,)."""
    import torch

    longest = max(map(len, objects))
    ids = torch.full((len(objects), longest), _NO_TARGET)
    for row, tokens in zip(ids, objects, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    ids = ids.to(network.device)
    logs = network(ids.clamp(min=_END), use_cache=False).double().log_softmax(dim=2)[:, :-1]
    later = ids[:, 1:]
    steps = logs.gather(2, later.clamp(min=_END)[:, :, None])[:, :, 0].masked_fill(later == _NO_TARGET, 0.0)
    found: NDArray[np.float64] = -steps.sum(dim=1).cpu().numpy()
    return np.maximum(found, 0.0)


def _as_tokens(network: Module, objects: Sequence[Tokens | str]) -> list[Tokens]:
    """Objects as token tuples of the network's vocabulary."""
    tokens = [network.vocabulary.encode([one])[0] if isinstance(one, str) else tuple(one) for one in objects]
    for place, one in enumerate(tokens):
        if not 0 < len(one) <= network.window or not all(0 <= token < len(network.vocabulary) for token in one):
            raise InputError(
                f"An object must be 1 to {network.window} tokens below {len(network.vocabulary):,}; object {place} is {one[:20]}."
            )
    return tokens
