"""DeepWalk: nodes that meet on random walks get vectors with a large product."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import LUKASIEWICZ
from presheaf.errors import InputError
from presheaf.pretext.base import Data, HeldOut, Media, Option, TaskCategory
from presheaf.pretext.graph_hom import hom_of_law, information_kernel
from presheaf.pretext.node_table import save_nodes
from presheaf.pretext.random_walks import pair_law

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


class DeepWalk:
    """Random walks and skip-gram with negative sampling, as a pre-training task.

    A step draws one walk from each node of its batch; so ``steps * batch_size / n`` of the plan is the number of walks a node,
    gamma in the paper (80 there). Pairs of nodes at most ``window`` steps apart on a walk are positive, every distance alike;
    negatives are nodes drawn as often as they occur on walks. The paper's hierarchical softmax is not needed: negative sampling fits
    the same co-occurrences, and its optimum is known (Levy and Goldberg 2014), so ideality can be measured.

    Parameters
    ----------
    dim : int
        Length of a node's vector; it has another of the same length as a context.
    window : int
    length : int
        Nodes of a walk, the first counted.
    negatives : int
        b, for each positive pair.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    Loss of a pair (u, v), in nats: -ln s(<w_u, c_v>) - b E ln s(-<w_u, c_x>), s the logistic function, x a negative; the mean
    over pairs. Its optimum <w_u, c_v> = ln(p(u, v) / (b p(u) p(v))) is the law of `presheaf.pretext.random_walks.pair_law`.
    Negatives are shared by a batch: `SHARED` draws, or all nodes with their exact weights where there are no more, which leaves
    the expected loss as it is. Cost of a step: batch * length * (length + min(n, SHARED)) products of vectors. Memory: 16 bytes
    each of these, and the optimiser's n * dim * 6 numbers. Source: Perozzi, Al-Rfou and Skiena 2014, DeepWalk: Online Learning of
    Social Representations; Mikolov et al. 2013 for negative sampling.
    """

    name = "deepwalk"
    media: Media = "node"
    category = TaskCategory(
        objects="nodes of a graph",
        hom="1 - exp(-M), M the shifted positive pointwise mutual information of meeting within a window of a random walk",
        quantale=LUKASIEWICZ,
        orientation="symmetric",
        variance="covariant",
        source="Perozzi, Al-Rfou and Skiena 2014, DeepWalk: Online Learning of Social Representations",
    )

    def __init__(self, dim: int = 128, window: int = 10, length: int = 40, negatives: int = 5) -> None:
        for name, value, least in (
            ("dim", dim, 1),
            ("window", window, 1),
            ("length", length, 2),
            ("negatives", negatives, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise InputError(f"{name!r} must be a whole number, at least {least}; got {value!r}.")
        self.dim, self.window, self.length, self.negatives = dim, window, length, negatives

    def __repr__(self) -> str:
        return f"DeepWalk({', '.join(f'{name}={value}' for name, value in self.options.items())})"

    @property
    def options(self) -> Mapping[str, Option]:
        return {"dim": self.dim, "window": self.window, "length": self.length, "negatives": self.negatives}

    @property
    def kernel(self) -> Kernel:
        """1 - exp(-max(0, <w_u, c_v>)) on features (w, c)."""
        return information_kernel()

    def network(self, data: Data) -> Module:
        """Vectors for the nodes of this graph; the graph itself is no part of the weights.

        Raises
        ------
        InputError
            If a node is isolated: it is on no walk, so nothing would be learned of it.
        """
        from presheaf.models.optional import need

        need("torch", "pretext", "The pre-training task 'deepwalk'")
        from presheaf.pretext.node_vectors import NodeVectors

        graph = data.train
        alone = np.flatnonzero(np.diff(graph.indptr) == 0)
        if len(alone):
            raise InputError(
                f"{data.name} has {len(alone):,} nodes without an edge, the first is {alone[0]}; no walk reaches them. Leave them "
                "out: keep = numpy.diff(graph.indptr) > 0, graph[keep][:, keep]."
            )
        law = pair_law(graph, self.window, self.length)
        network = NodeVectors(graph, law.occurrences, self.dim)
        network.digest = data.digest
        return network

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        """Mean over the pairs of one walk from each row.

        Raises
        ------
        InputError
            If the network was made for another graph.
        """
        if network.digest != data.digest:
            raise InputError(f"The network holds vectors for the nodes of another graph than {data.name!r}.")
        walks = network.walks(rows, self.length)
        loss: Tensor = network.skip_gram(walks, self.window, self.negatives)
        return loss

    def after_step(self, network: Module) -> None:
        """Nothing follows a step."""

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """Nodes drawn without replacement (all, where there are no more), with the exact law of the walks on them.

        No node is unknown to a walk, so these are held out in name only: what is measured is how well M is kept, pair by pair, not
        how it carries over to new nodes.
        """
        n = data.test.shape[0]
        nodes = np.sort(np.random.default_rng(seed).choice(n, min(size, n), replace=False)).astype(np.int64)
        law = pair_law(data.test, self.window, self.length)
        return HeldOut(nodes, hom_of_law(law, float(self.negatives), nodes), "none")

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """(w, c) of nodes by their number from 0, shape (n, 2 dim)."""
        nodes = np.asarray(objects)
        both = np.hstack([_numpy(network.vectors), _numpy(network.contexts)])
        if (
            nodes.ndim != 1
            or nodes.dtype.kind not in "iu"
            or (len(nodes) and not 0 <= nodes.min() <= nodes.max() < len(both))
        ):
            raise InputError(f"Objects must be numbers of nodes in 0..{len(both) - 1}.")
        return np.asarray(both[nodes], dtype=np.float32)

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        return hom_from_features(features, self.kernel)

    def save(self, network: Module, data: Data, folder: Path) -> str:
        """Write ``nodes.npy``, the vectors w, and ``nodes.csv``, a row a node; the specification ``vectors:.../nodes.npy``.

        The contexts c are left out: w is what DeepWalk hands on.
        """
        return save_nodes(_numpy(network.vectors), folder, data.train_labels, data.classes)


def _numpy(weights: Any) -> NDArray[np.float32]:
    return np.asarray(weights.detach().cpu().numpy(), dtype=np.float32)
