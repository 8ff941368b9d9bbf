"""The masked language model: the task whose category has texts with a gap, their completions, and their probabilities."""

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
from presheaf.pretext.masked_words import MASK, START, STOP, frequent_words, masked_and_completed
from presheaf.pretext.text_extensions import extension_rows
from presheaf.pretext.text_losses import TextLoss, text_loss
from presheaf.pretext.text_sizes import TextTask
from presheaf.pretext.text_vocabulary import MASKED, Tokens

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

SHARE = 0.15
"""Of a text's tokens that are predicted, at least one."""
_PAD = MASKED.index("[PAD]")
_AT_ONCE = 64


class MaskedText(TextTask):
    """Predict masked tokens from both sides, with a small BERT.

    Parameters
    ----------
    vocabulary : int
        Most tokens of the byte-pair vocabulary, which is trained on the training texts.
    window : int
        Most tokens the network takes, [CLS] and [SEP] counted. Of a longer text a step sees a piece drawn anew.
    dim, layers, heads : int
        Of the transformer; ``dim`` is a multiple of ``2 * heads``.

    Raises
    ------
    InputError
        If an option is out of range.

    Notes
    -----
    15 % of a text's tokens are predicted; of these 80 % are replaced by [MASK], 10 % by a token drawn at random, 10 % stay
    (Devlin et al. 2019). Loss in nats a predicted token; ln(vocabulary) for a model that knows nothing. The conditionals
    of such a model need not belong to one joint law: see `presheaf.pretext.masked_consistency`. Cost of a step: one
    pass over the batch's tokens, padded to the longest text.
    """

    name = "bert"
    special = MASKED
    category = TaskCategory(
        objects="texts with one masked word, and their completions",
        hom="pi(y | x): the probability of the word that completes the masked text x to y; 0 where y is no completion of x",
        quantale=PROBABILITY,
        orientation="directed",
        variance="covariant",
        source="Devlin, Chang, Lee, Toutanova 2019, BERT: Pre-training of deep bidirectional transformers for language understanding",
    )

    def network(self, data: Data) -> Module:
        """A `TextNetwork` around a BertForMaskedLM with tied embeddings and no dropout.

        Raises
        ------
        InputError
            If ``data`` holds no texts, or only empty ones.
        """
        transformers = need("transformers", "pretext", "A masked language model")
        from presheaf.pretext.text_network import TextNetwork

        words = self.words(data)
        config = transformers.BertConfig(
            vocab_size=len(words),
            hidden_size=self._sizes["dim"],
            intermediate_size=4 * self._sizes["dim"],
            num_hidden_layers=self._sizes["layers"],
            num_attention_heads=self._sizes["heads"],
            max_position_embeddings=self._sizes["window"],
            type_vocab_size=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            pad_token_id=_PAD,
        )
        return TextNetwork(transformers.BertForMaskedLM(config), words).train()

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        texts = [data.train[row] for row in rows.tolist()]
        ids = padded([_piece(tokens, network.window - 2) for tokens in network.vocabulary.encode(texts)])
        inputs, chosen = corrupted(ids, len(network.vocabulary))
        nats = masked_nats(network, inputs, ids, chosen)
        # A batch of empty texts has nothing to predict: a loss of 0 that still has a gradient.
        return nats.mean() if len(nats) else sum(weight.sum() for weight in network.parameters()) * 0.0

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """Held-out sentences with one frequent word masked, each with its completions by frequent words.

        The hom is 1 for the word that stands there: one draw from the law that an ideal model has, so that I(f) does not reach
        0, and is least for a model that is sure of its best guess. Read it beside the loss.

        Raises
        ------
        InputError
            If the training texts have no two frequent words, or no held-out text holds one.
        """
        vocabulary = self.words(data)
        words = frequent_words(vocabulary, data.train, size)
        objects, hom = masked_and_completed(vocabulary, data.test, words, self._sizes["window"], size, seed)
        return HeldOut(objects, hom, "rows", np.arange(len(objects)) // (1 + len(words)))

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """Each object's tokens, and -ln pi(word | masked text) in nats, 0 for a masked text; see `extension_rows`.

        Shape (n, window + 2). Cost: one pass over the distinct masked texts.

        Raises
        ------
        InputError
            If an object isn't a masked text, [CLS] to [SEP] with one [MASK], with or without a word behind.
        """
        from presheaf.pretext.text_network import evaluating

        split = [_split(tuple(tokens), network) for tokens in objects]
        masked = list(dict.fromkeys(text for text, _ in split))
        place = {text: number for number, text in enumerate(masked)}
        logs = np.zeros((len(masked), len(network.vocabulary)))
        with evaluating(network):
            for first in range(0, len(masked), _AT_ONCE):
                ids = padded([text[1:-1] for text in masked[first : first + _AT_ONCE]])
                logits = predictions(network, ids, ids == MASK)
                logs[first : first + len(ids)] = logits.double().log_softmax(dim=1).cpu().numpy()
        surprise = [0.0 if word is None else max(0.0, -logs[place[text], word]) for text, word in split]
        return extension_rows([tuple(tokens) for tokens in objects], surprise, network.window + 1)

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        return hom_from_features(features, self.kernel, "-ln pi of the network")

    def score(self, network: Module, texts: Sequence[str], seed: int = 0) -> TextLoss:
        """Cross entropy of tokens masked as in training, by draws from ``seed``; characters are those that begin in them.

        Texts longer than the window are cut off. Not a probability of the texts, so not to be compared with a causal model.

        Raises
        ------
        InputError
            If there is nothing to predict.
        """
        import torch

        from presheaf.pretext.text_network import evaluating

        vocabulary, letters = network.vocabulary, torch.from_numpy(network.vocabulary.characters)
        rows: list[tuple[float, float, float]] = []
        with torch.random.fork_rng(), evaluating(network):
            torch.manual_seed(seed)
            for text in texts_only(texts):
                ids = padded([vocabulary.encode([text])[0][: network.window - 2]])
                inputs, chosen = corrupted(ids, len(vocabulary))
                nats = masked_nats(network, inputs, ids, chosen)
                rows.append((float(nats.sum()), float(chosen.sum()), float(letters[ids[chosen]].sum())))
        return text_loss(*np.array(rows, dtype=np.float64).reshape(-1, 3).T)

    def save(self, network: Module, data: Data, folder: Path) -> str:
        """A BERT folder of transformers; ``hf:FOLDER`` reads its encoder."""
        network.save(folder)
        return f"hf:{folder}"


def padded(texts: Sequence[Tokens]) -> Tensor:
    """Token ids with [CLS] before and [SEP] behind each text, padded on the right. int64 of shape (n, longest + 2)."""
    import torch

    ids = torch.full((len(texts), 2 + max(map(len, texts), default=0)), _PAD)
    for row, tokens in zip(ids, texts, strict=True):
        row[: len(tokens) + 2] = torch.tensor([START, *tokens, STOP])
    return ids


def corrupted(ids: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """What the network sees of token ids, and which it has to predict; draws from torch's global generator.

    Returns
    -------
    inputs : int64 Tensor like ``ids``
    chosen : bool Tensor like ``ids``
        15 % of each row's ordinary tokens, rounded, at least one where there is any.
    """
    import torch

    ordinary = ids >= len(MASKED)
    number = ordinary.sum(dim=1)
    wanted = torch.where(number > 0, (SHARE * number).round().clamp(min=1), 0)
    rank = torch.rand(ids.shape).masked_fill(~ordinary, 2.0).argsort(dim=1).argsort(dim=1)
    chosen = (rank < wanted[:, None]) & ordinary
    how, other = torch.rand(ids.shape), torch.randint(len(MASKED), vocabulary, ids.shape)
    inputs = torch.where(chosen & (how < 0.8), MASK, ids)
    return torch.where(chosen & (how >= 0.9), other, inputs), chosen


def predictions(network: Module, inputs: Tensor, chosen: Tensor) -> Tensor:
    """Logits at the chosen places, row by row, shape (chosen, vocabulary). Only these go through the output layer."""
    device = network.device
    inputs = inputs.to(device)
    hidden = network.model.bert(inputs, attention_mask=(inputs != _PAD).long()).last_hidden_state
    logits: Tensor = network.model.cls(hidden[chosen.to(device)])
    return logits


def masked_nats(network: Module, inputs: Tensor, ids: Tensor, chosen: Tensor) -> Tensor:
    """-ln p of the true token at each chosen place, shape (chosen,)."""
    import torch

    wanted = ids[chosen].to(network.device)
    nats: Tensor = torch.nn.functional.cross_entropy(predictions(network, inputs, chosen), wanted, reduction="none")
    return nats


def _piece(tokens: Tokens, room: int) -> Tokens:
    """The text, or a piece of it that fits, drawn anew."""
    import torch

    if len(tokens) <= room:
        return tokens
    start = int(torch.randint(len(tokens) - room + 1, ()))
    return tokens[start : start + room]


def _split(tokens: Tokens, network: Module) -> tuple[Tokens, int | None]:
    """A masked text, and the word behind it where there is one."""
    text, word = (tokens, None) if tokens[-1:] in ((STOP,), ()) else (tokens[:-1], tokens[-1])
    known = all(0 <= token < len(network.vocabulary) for token in tokens)
    if not known or text[:1] != (START,) or text[-1:] != (STOP,) or text.count(MASK) != 1 or len(text) > network.window:
        raise InputError(
            f"An object must be the tokens of a text from [CLS] ({START}) to [SEP] ({STOP}) with one [MASK] ({MASK}), at most "
            f"{network.window} of them, with or without a word behind; got {tokens[:20]}."
        )
    return text, word
