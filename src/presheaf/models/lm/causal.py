"""A causal language model with its weights at hand: what follows a text, and the text's hidden states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.files import fingerprint, folder_digest, model_folder, smallest
from presheaf.models.hf_folder import check_layer, load_network, load_tokenizer
from presheaf.models.lm.base import OnScored, Question, Tokens
from presheaf.models.lm.gguf import converted_folder, is_gguf
from presheaf.models.lm.work import Work
from presheaf.models.optional import need
from presheaf.models.pooling import POOLINGS, check_batch_size
from presheaf.models.tokens import WindowTokenizer

if TYPE_CHECKING:
    from presheaf.models.lm.continuation import Pair

_DTYPES = ("float32", "bfloat16", "float64")
_AT_ONCE = 1024  # questions or sequences in one trie: bounds what is planned ahead, not what is run at once


class CausalLM:
    """A causal language model of transformers: a `LocalLanguageModel`, and a `Model` by its hidden states.

    Every prefix that questions share is run once (see `presheaf.models.lm.run.TrieRunner`); `work` says how many
    tokens that took and how many the plain loop would have taken.

    Parameters
    ----------
    source : str
        Folder of the model with weights in safetensors, its name on the hub (fetched once; with HF_HUB_OFFLINE=1 only
        from the local cache), or a GGUF file (converted once, see `presheaf.models.lm.gguf.converted_folder`).
    layer : int, "mean" or None
        Which hidden state `encode` gives: 0 is the embedding layer, L the last of L blocks, negative counts from the
        end, "mean" the mean over all of them. None: the middle one, L // 2.
    pooling : "mean", "cls", "max" or "last"
        Over the text's tokens.
    window : int or None
        Most tokens, special ones counted. None: what the network was built for.
    dtype : "float32", "bfloat16" or "float64"
        Of weights and arithmetic.
    device : str or None
        None: the GPU where there is one, else the CPU.
    seed : int or None
        Not None: the same architecture with random weights from this seed instead of the stored ones, as a control.
    batch_size : int
        Texts per forward pass of `encode`.
    batch_tokens : int or None
        Tokens per forward pass of `score`, `token_log_probs` and `next_log_probs`; bounds their memory, together with
        a 256 MB block of logits. None: 512 on the CPU, else 2,048.
    name : str or None
        Name in reports. None: ``source``.
    licence : str

    Attributes
    ----------
    network : transformers.PreTrainedModel
        The network with its language modelling head, in evaluation mode, parameters with gradients on; for soft
        prompts, LoRA and whatever else needs gradients. Whoever changes its weights changes this model's answers
        without changing its `fingerprint`: work on a copy.
    tokenizer : transformers.PreTrainedTokenizerFast

    Raises
    ------
    InputError
        An option is out of range, or the folder or file is missing or empty.
    ModelError
        The weights are damaged, incomplete, or not in safetensors; the tokenizer is missing; the name isn't cached.
    MissingDependencyError
        torch or transformers isn't installed.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False

    def __init__(
        self,
        source: str,
        *,
        layer: int | str | None = None,
        pooling: str = "mean",
        window: int | None = None,
        dtype: str = "float32",
        device: str | None = None,
        seed: int | None = None,
        batch_size: int = 16,
        batch_tokens: int | None = None,
        name: str | None = None,
        licence: str = "",
    ) -> None:
        need("torch", "lm", "A causal language model")
        need("transformers", "lm", "A causal language model")
        from presheaf.models.lm.hidden import HiddenStates
        from presheaf.models.lm.run import TrieRunner
        from presheaf.models.lm.tokenizer import LmTokenizer
        from presheaf.models.torch_tools import pick_device

        name = name or source
        one_of("dtype", dtype, _DTYPES)
        self.batch_size = check_batch_size(batch_size)
        chosen = pick_device(device)
        gguf = is_gguf(source)
        self._folder = converted_folder(source) if gguf else model_folder(source, "a causal language model")
        self._seed = seed
        self.tokenizer = load_tokenizer(self._folder)
        self.network = load_network(self._folder, "AutoModelForCausalLM", seed, dtype=dtype).to(chosen)
        self._words = LmTokenizer(self.tokenizer)
        self._window = _check_window(window, self._longest(), name)
        batch_tokens = _check_tokens(batch_tokens, 512 if chosen.type == "cpu" else 2048)
        self._runner = TrieRunner(self.network, batch_tokens=batch_tokens, window=self._window)
        layers = getattr(self.network.config, "num_hidden_layers", None)
        chosen_layer = check_layer((layers // 2 if layers else "mean") if layer is None else layer, layers)
        pad = self._words.empty[0] if self._words.empty else 0
        reader = WindowTokenizer(self.tokenizer.backend_tokenizer, window=self._window, pad=pad)
        self._hidden = HiddenStates(
            self.network.base_model, reader, layer=chosen_layer, pooling=one_of("pooling", pooling, POOLINGS), name=name
        )
        stated = {"layer": chosen_layer, "pooling": pooling, "random weights from seed": "" if seed is None else seed}
        self.info = ModelInfo(
            name=name,
            kind="causal",
            dim=self._hidden.dim,
            window=self._window,
            precision=f"GGUF weights, {dtype} arithmetic" if gguf and seed is None else dtype,
            licence=licence,
            settings=tuple((key, str(value)) for key, value in stated.items() if value != ""),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Digest of weights, tokenizer, configuration and settings. Reads the weights once a process."""
        from presheaf.models.torch_tools import weights_digest

        weights = folder_digest(self._folder) if self._seed is None else weights_digest(self.network)
        stated = (self.info.precision, self._window, self.info.settings)
        return fingerprint("causal", weights, self._words.digest, stated)

    # Language model

    @property
    def work(self) -> Work:
        """Tokens run since the model was loaded; take the difference of two readings."""
        return self._runner.work

    @property
    def shares(self) -> bool | None:
        """Whether shared prefixes are run once, which a self-check decides at first use; None before that."""
        return self._runner.shares

    @property
    def vocabulary(self) -> int:
        """Number of tokens the network gives a probability to (the tokenizer may know fewer)."""
        return int(self.network.config.vocab_size)

    @property
    def window(self) -> int | None:
        """Most tokens the network takes, special ones counted; None when there is no limit."""
        return self._window

    def tokens(self, text: str) -> Tokens:
        """Token ids of a text, no special token added."""
        return self._words.tokens([text])[0]

    def text(self, tokens: Sequence[int]) -> str:
        """The text of some tokens, special ones written out."""
        return self._words.text(tokens)

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """Each token as one would print it; one that is part of a character by its name in the vocabulary."""
        return self._words.pieces(tokens)

    def count(self, text: str) -> int:
        """How many tokens the text is."""
        return len(self.tokens(text))

    def lost(self, question: Question) -> int:
        """How many tokens at the beginning of the prompt would not reach the network.

        Raises
        ------
        ModelError
            If the longest answer alone is longer than the window.
        """
        ((prompt, answers),) = self._read([question])
        return len(prompt) - len(self._kept(prompt, answers))

    def score(self, questions: Sequence[Question], on_scored: OnScored | None = None) -> list[NDArray[np.float64]]:
        """ln p(answer | prompt) in nats, one array of shape (answers,) a question; 0 for an empty answer.

        The sum over the answer's tokens, not divided by their number: that is the answer's probability. All answers
        of a question see the same part of a prompt that is longer than the window. ``on_scored`` hears of each
        question as soon as its answers are known.

        Cost: each distinct prefix among 1,024 consecutive questions is run once.

        Raises
        ------
        ModelError
            If an answer is longer than the window, the device has no memory left, or the numbers aren't finite.
        """
        scores = [np.zeros(len(question.answers)) for question in questions]
        for first in range(0, len(questions), _AT_ONCE):
            read = self._read(questions[first : first + _AT_ONCE])
            pairs = [(self._kept(prompt, answers), answer) for prompt, answers in read for answer in answers]
            places = [(first + at, row) for at, (_, answers) in enumerate(read) for row in range(len(answers))]
            left = [len(answers) for _, answers in read]
            for at, (_, answers) in enumerate(read):
                if not answers and on_scored is not None:
                    on_scored(first + at, scores[first + at])
            for pair, values in self._run(pairs):
                place, row = places[pair]
                scores[place][row] = values.sum()
                left[place - first] -= 1
                if left[place - first] == 0 and on_scored is not None:
                    on_scored(place, scores[place])
        return scores

    def token_log_probs(self, sequences: Sequence[Tokens]) -> list[NDArray[np.float64]]:
        """ln p(token | tokens before it in the sequence) for every token of every sequence, in nats.

        Cost: each distinct prefix among 1,024 consecutive sequences is run once.

        Raises
        ------
        InputError
            If a sequence is longer than the window, or a token isn't in the vocabulary.
        """
        found: list[NDArray[np.float64]] = [np.zeros(0)] * len(sequences)
        for first in range(0, len(sequences), _AT_ONCE):
            pairs: list[Pair] = [((), self._checked(one)) for one in sequences[first : first + _AT_ONCE]]
            for _, tokens in pairs:
                self._kept((), (tokens,))
            for place, values in self._run(pairs):
                found[first + place] = values
        return found

    def next_log_probs(self, prefixes: Sequence[Tokens]) -> NDArray[np.float32]:
        """ln p(next token | prefix), shape (n, vocabulary). A prefix longer than the window loses its beginning.

        Cost: one pass over the distinct prefixes; 4 n x vocabulary bytes.

        Raises
        ------
        InputError
            If a token isn't in the vocabulary.
        """
        from presheaf.models.lm.continuation import next_log_probs

        kept = [self._kept(self._checked(prefix), ((0,),)) for prefix in prefixes]
        return next_log_probs(
            self._runner, kept, start=self._words.start, empty=self._words.empty, vocabulary=self.vocabulary
        )

    def _run(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, NDArray[np.float64]]]:
        from presheaf.models.lm.continuation import token_log_probs

        return token_log_probs(self._runner, pairs, start=self._words.start, empty=self._words.empty)

    def _read(self, questions: Sequence[Question]) -> list[tuple[Tokens, tuple[Tokens, ...]]]:
        """Tokens of each prompt and of its answers; each distinct text is read once."""
        prompts = list(dict.fromkeys(question.prompt for question in questions))
        answers = list(dict.fromkeys((q.prompt != "", answer) for q in questions for answer in q.answers))
        read = dict(zip(prompts, self._words.tokens(prompts), strict=True))
        words = {key: self._words.tokens([key[1]], continuing=key[0])[0] for key in answers}
        return [(read[q.prompt], tuple(words[q.prompt != "", answer] for answer in q.answers)) for q in questions]

    def _kept(self, prompt: Tokens, answers: tuple[Tokens, ...]) -> Tokens:
        """The end of the prompt that fits the window before the longest of the answers, whose last token isn't run."""
        if self._window is None:
            return prompt
        longest = max((len(answer) for answer in answers), default=0)
        room = self._window - len(self._words.start) - max(longest - 1, 0)
        if room < (not self._words.start):
            raise ModelError(
                f"An answer of {longest} tokens doesn't fit the window of {self._window} tokens of {self.info.name}."
            )
        return prompt[max(len(prompt) - room, 0) :]

    def _checked(self, tokens: Sequence[int]) -> Tokens:
        if any(not 0 <= token < self.vocabulary for token in tokens):
            raise InputError(f"Tokens must be from 0 to {self.vocabulary - 1}; got {list(tokens)[:20]}.")
        return tuple(tokens)

    def _longest(self) -> int | None:
        stated = getattr(self.network.config, "max_position_embeddings", None)
        return smallest((stated, self.tokenizer.model_max_length))

    # Model

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Pooled hidden states of shape (n, dim), ``batch_size`` texts at a time. Both roles are the same."""
        return self._hidden.encode(objects, self.batch_size)

    def hidden_layers(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Pooled hidden states of every layer, shape (layers + 1, n, dim): what a probe over layers reads."""
        return self._hidden.all_layers(texts, self.batch_size)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Features of shape (n, dim) in float64, one text at a time, by a copy of the network in double precision.

        The copy is made at the first call and kept: twice the memory of float32 weights.
        """
        return self._hidden.exact(objects)

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """The token ids of each text after truncation, special tokens included, as int32 bytes."""
        return self._hidden.keys(objects)

    def trace(self, text: str) -> Trace:
        """The tokens that reach the network, how many were cut off, what was unknown."""
        return self._hidden.trace(text)


def _check_window(window: int | None, longest: int | None, name: str) -> int | None:
    if window is None:
        return longest
    if not isinstance(window, int) or isinstance(window, bool) or window < 2:
        raise InputError(f"'window' must be a whole number above 1; got {window!r}.")
    if longest is not None and window > longest:
        raise InputError(f"'window' must be at most {longest}, which is what {name} was built for; got {window}.")
    return window


def _check_tokens(tokens: int | None, usual: int) -> int:
    if tokens is None:
        return usual
    if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 1:
        raise InputError(f"'batch_tokens' must be a whole number above 0; got {tokens!r}.")
    return tokens
