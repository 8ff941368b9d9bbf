"""An ONNX file with its tokenizer, run by onnxruntime on the CPU; no torch."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.files import file_digest, fingerprint, first_line, read_json, smallest, stored_window
from presheaf.models.optional import need
from presheaf.models.pooling import POOLINGS, batches, check_batch_size, finite, pool, stored_pooling
from presheaf.models.tokens import WindowTokenizer, load_tokenizer

_FED = ("input_ids", "attention_mask", "token_type_ids")


class OnnxModel:
    """Features of a text encoder exported to ONNX. Features aren't normalised here.

    The graph may return token features (batch, tokens, dim), which are pooled, or one vector a text (batch, dim).
    Tensors kept in a second file beside the graph (model.onnx_data) are found there.

    Parameters
    ----------
    path : str or Path
        The .onnx file, or a folder that holds one (itself, or in its subfolder "onnx").
    tokenizer : str, Path or None
        A tokenizer.json. None: the one beside the .onnx file or one folder up.
    pooling : "mean", "cls", "max", "last" or None
        For graphs that return token features. None: the graph's own vector where it has one, else what a
        sentence-transformers folder stores, else "mean".
    window : int or None
        Most tokens, special ones counted. None: what the files beside the tokenizer say (sentence_bert_config.json,
        else tokenizer_config.json and config.json, else the truncation stored in tokenizer.json).
    output : str or None
        Name of the graph's output to take. None: chosen as said under ``pooling``.
    prefix, prompt_prefix : str
        Written before every object, and before every prompt.
    batch_size : int
        Texts per run of the graph.
    name : str or None
        Name in reports. None: the path.
    precision : str
        Of weights and arithmetic, for reports.
    licence : str

    Raises
    ------
    InputError
        An option is out of range, there is no such file, or a folder with no or several .onnx files.
    ModelError
        The graph or the tokenizer is damaged, or the graph isn't that of a text encoder.
    MissingDependencyError
        onnxruntime or tokenizers isn't installed.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False

    def __init__(
        self,
        path: str | Path,
        *,
        tokenizer: str | Path | None = None,
        pooling: str | None = None,
        window: int | None = None,
        output: str | None = None,
        prefix: str = "",
        prompt_prefix: str = "",
        batch_size: int = 32,
        name: str | None = None,
        precision: str = "float32",
        licence: str = "",
    ) -> None:
        name = name or str(path)
        self._file = _onnx_file(Path(os.path.expanduser(path)))
        vocabulary = _tokenizer_file(self._file, tokenizer)
        self._session = _open(self._file)
        self._types = _input_types(self._session, self._file)
        stored = None if pooling or output else stored_pooling(vocabulary.parent)
        self._output, self._pools = _choose_output(self._session, output, pooling)
        self._pooling = one_of("pooling", pooling or stored or "mean", POOLINGS)
        tokens = load_tokenizer(vocabulary)
        self._tokens = WindowTokenizer(
            tokens,
            window=_default_window(vocabulary.parent, tokens) if window is None else window,
            prefix=prefix,
            prompt_prefix=prompt_prefix,
            side=str((tokens.truncation or {}).get("direction", "right")).lower(),
            pad=int((tokens.padding or {}).get("pad_id", 0)),
        )
        self.batch_size = check_batch_size(batch_size)
        stated = {
            "output": self._output,
            "pooling": self._pooling if self._pools else "in the graph",
            "prefix": prefix,
            "prompt_prefix": prompt_prefix,
        }
        dim = {out.name: out.shape for out in self._session.get_outputs()}[self._output][-1]
        self._dim = dim if isinstance(dim, int) else self._run(["a"], "object").shape[1]
        self.info = ModelInfo(
            name=name,
            kind="onnx",
            dim=self._dim,
            window=self._tokens.window,
            precision=precision,
            licence=licence,
            settings=tuple((key, value) for key, value in stated.items() if value),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Digest of graph, tensors beside it, tokenizer and settings. Reads the weights once a process."""
        # Tensors outside the graph lie in files whose names start with the graph's: model.onnx_data, model.onnx.data.
        files = sorted(self._file.parent.glob(f"{self._file.name}*"))
        weights = [(file.name, file_digest(file)) for file in files]
        return fingerprint("onnx", weights, self._tokens.digest, self.info.settings)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, dim) in float32, ``batch_size`` texts at a time, padded to the longest of them."""
        rows = [self._run(piece, role) for piece in batches(objects, self.batch_size)]
        features = np.concatenate(rows) if rows else np.zeros((0, self._dim))
        return finite(features.astype(np.float32, copy=False), self.info.name)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Features of shape (n, dim) computed one text at a time, unpadded.

        In "float32", the graph's own arithmetic: onnxruntime can't run a float32 graph in double precision.
        """
        rows = [self._run([text], "object")[0] for text in objects]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), self._dim), "float32"

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """The token ids of each text after truncation, special tokens included, as int32 bytes."""
        return self._tokens.keys(objects)

    def trace(self, text: str) -> Trace:
        """The tokens that reach the network, how many were cut off, what was unknown."""
        return self._tokens.trace(text)

    def _run(self, texts: Sequence[Any], role: Role) -> NDArray[Any]:
        batch = self._tokens.batch(texts, role)
        fed = {key: batch[key].astype(dtype) for key, dtype in self._types.items()}
        try:
            (result,) = self._session.run([self._output], fed)
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise ModelError(
                f"The graph {str(self._file)!r} failed on {len(texts)} texts of {batch['input_ids'].shape[1]} tokens "
                f"({first_line(error)}). If it was built for fewer tokens, give a smaller 'window'."
            ) from error
        features: NDArray[Any] = result
        if self._pools:
            features = pool(features, batch["attention_mask"].astype(features.dtype), self._pooling)
        return features


def _onnx_file(path: Path) -> Path:
    if os.path.isfile(path):  # unlike pathlib's, False for a name no file can have
        return path
    if not os.path.isdir(path):
        raise InputError(f"There is no file or folder {str(path)!r}; expected an .onnx file or its folder.")
    found = sorted(path.glob("*.onnx")) or sorted(path.glob("onnx/*.onnx"))
    plain = [file for file in found if file.name == "model.onnx"]
    if len(plain or found) != 1:
        names = ", ".join(str(file.relative_to(path)) for file in found)
        held = f"several .onnx files ({names}); name one" if found else "no .onnx file"
        raise InputError(f"The folder {str(path)!r} holds {held}.")
    return (plain or found)[0]


def _tokenizer_file(graph: Path, given: str | Path | None) -> Path:
    if given is not None:
        path = Path(os.path.expanduser(given))
        path = path / "tokenizer.json" if path.is_dir() else path
        if not path.is_file():
            raise InputError(f"There is no tokenizer file {str(path)!r}.")
        return path
    for folder in (graph.parent, graph.parent.parent):
        if (folder / "tokenizer.json").is_file():
            return folder / "tokenizer.json"
    raise ModelError(
        f"No tokenizer.json beside {str(graph)!r} or one folder up; put it there or give its path (tokenizer=FILE)."
    )


def _open(graph: Path) -> Any:
    runtime = need("onnxruntime", "onnx", "An ONNX model")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        return runtime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class of their own
        raise ModelError(f"{str(graph)!r} can't be loaded as an ONNX model: {first_line(error)}.") from error


def _input_types(session: Any, graph: Path) -> dict[str, type[np.integer[Any]]]:
    inputs = {one.name: one.type for one in session.get_inputs()}
    odd = sorted(set(inputs) - set(_FED))
    if odd or "input_ids" not in inputs:
        raise ModelError(
            f"The graph {str(graph)!r} isn't that of a text encoder: expected inputs among {', '.join(_FED)}, "
            f"found {', '.join(inputs)}."
        )
    return {name: np.int32 if kind == "tensor(int32)" else np.int64 for name, kind in inputs.items()}


def _choose_output(session: Any, output: str | None, pooling: str | None) -> tuple[str, bool]:
    """The output to take, and whether it holds token features that are still to be pooled."""
    ranks = {one.name: len(one.shape) for one in session.get_outputs() if len(one.shape) in (2, 3)}
    if output is not None:
        one_of("output", output, sorted(ranks))
        if pooling is not None and ranks[output] == 2:
            raise InputError(f"The output {output!r} is one vector a text already; leave 'pooling' away.")
        return output, ranks[output] == 3
    by_tokens = [name for name, rank in ranks.items() if rank == 3]
    if pooling is not None and not by_tokens:
        raise InputError("This graph returns one vector a text, no token features; leave 'pooling' away.")
    for name in ("sentence_embedding", "last_hidden_state", "token_embeddings", *by_tokens, *ranks):
        if name in ranks and (pooling is None or ranks[name] == 3):
            return name, ranks[name] == 3
    raise ModelError("The graph returns neither token features (3 axes) nor one vector a text (2 axes).")


def _default_window(folder: Path, tokenizer: Any) -> int | None:
    return (
        stored_window(folder)
        or smallest(
            (
                read_json(folder / "tokenizer_config.json").get("model_max_length"),
                read_json(folder / "config.json").get("max_position_embeddings"),
            )
        )
        or smallest(((tokenizer.truncation or {}).get("max_length"),))
    )
