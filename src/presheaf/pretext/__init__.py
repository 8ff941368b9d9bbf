"""Pre-training tasks as categories: each puts a hom on data, and a loss whose optimum is an ideal model of it.

>>> import presheaf.pretext as pp
>>> task = pp.pretext("simclr?temperature=0.2")                             # doctest: +SKIP
>>> data = pp.load_data("digits")                                           # doctest: +SKIP
>>> run = pp.train(task, data, "runs/simclr", pp.Plan(steps=300))           # doctest: +SKIP
>>> task.save(run.network, data, "models/simclr")                           # doctest: +SKIP

A name loads its own module when it is first asked for, so that ``import presheaf.pretext`` costs nothing. ``pp.pretext`` is the
function; what every task keeps is in ``presheaf.pretext.base``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presheaf.lazy import lazy

if TYPE_CHECKING:
    from presheaf.pretext.base import Data, HeldOut, Pretext, TaskCategory
    from presheaf.pretext.carried import (
        Carried,
        CarriedRun,
        carried_to_unseen,
        mean_correlation,
        rank_correlation,
        transfer_from_anchors,
    )
    from presheaf.pretext.causal_text import CausalText
    from presheaf.pretext.checkpoint import Checkpoint
    from presheaf.pretext.completion import completions, predicted_completions
    from presheaf.pretext.contract import check_pretext
    from presheaf.pretext.contrastive import SimCLR
    from presheaf.pretext.data import load_data, make_data
    from presheaf.pretext.data_graphs import graph_data, load_graph, read_blogcatalog, read_edges
    from presheaf.pretext.data_images import save_images
    from presheaf.pretext.deepwalk import DeepWalk
    from presheaf.pretext.dual import DualMaps, DualPlan, round_trip_defect, share_home, train_dual
    from presheaf.pretext.dual_names import emoji_names
    from presheaf.pretext.dual_study import DualRun, DualStudy, dual_study
    from presheaf.pretext.featured import featured, first_pairs
    from presheaf.pretext.functor_check import FunctorCheck, functor_check
    from presheaf.pretext.functor_count import FreeLunch, count_functors, functors, labels_needed, no_free_lunch, rule
    from presheaf.pretext.functor_curve import FunctorCurve, learning_curve, predicted_reach, predicted_sure
    from presheaf.pretext.functor_learner import FunctorLearner
    from presheaf.pretext.functor_spread import Spread
    from presheaf.pretext.functor_structure import Isomorphic, Linear, Monotone, Structure, isomorphic, unrelated
    from presheaf.pretext.graph_hom import rank_hom, rank_ideality, walk_hom
    from presheaf.pretext.graph_law import LaplacianIdentity, laplacian_identity
    from presheaf.pretext.infonce import nt_xent, similarity_graph_loss
    from presheaf.pretext.kernel_infonce import KernelInfoNCE
    from presheaf.pretext.label_ceilings import LabelCeiling, label_ceiling, label_ceilings
    from presheaf.pretext.masked_consistency import MaskedConsistency, masked_consistency
    from presheaf.pretext.masked_images import MaskedImages
    from presheaf.pretext.masked_text import MaskedText
    from presheaf.pretext.measures import alignment, effective_rank
    from presheaf.pretext.mixture_kernel import mixture_kernel
    from presheaf.pretext.moco import MoCo
    from presheaf.pretext.netmf import NetMF, netmf
    from presheaf.pretext.node_scores import NodeScores, node_scores, score_difference
    from presheaf.pretext.node_table import save_nodes
    from presheaf.pretext.pair_retrieval import find_partners, new_combinations, ridge_retrieval, two_sided_retrieval
    from presheaf.pretext.plan import Plan
    from presheaf.pretext.random_walks import PairLaw, pair_law
    from presheaf.pretext.registry import pretext, pretext_names
    from presheaf.pretext.rotation_fine_tuning import FineTunedTo, fine_tune_to
    from presheaf.pretext.rotation_groupoid import (
        ClassVerdict,
        RotationGroupoid,
        indicator,
        orbit_ceiling,
        rotation_groupoid,
        rotation_verdict,
        square_images,
        turned,
    )
    from presheaf.pretext.rotnet import RotationIdeality, RotNet, rotation_ideality
    from presheaf.pretext.spectral_contrastive import SpectralContrastive
    from presheaf.pretext.text_losses import TextLoss, ngram_loss, text_loss
    from presheaf.pretext.trainer import Run, load_run, train
    from presheaf.pretext.two_sided import TwoSided
    from presheaf.pretext.unlearnable import Residuals, unlearnable

_HOME = {
    "base": "Data HeldOut Pretext TaskCategory",
    "carried": "Carried CarriedRun carried_to_unseen mean_correlation rank_correlation transfer_from_anchors",
    "causal_text": "CausalText",
    "checkpoint": "Checkpoint",
    "completion": "completions predicted_completions",
    "contract": "check_pretext",
    "contrastive": "SimCLR",
    "data": "load_data make_data",
    "data_graphs": "graph_data load_graph read_blogcatalog read_edges",
    "data_images": "save_images",
    "deepwalk": "DeepWalk",
    "dual": "DualMaps DualPlan round_trip_defect share_home train_dual",
    "dual_names": "emoji_names",
    "dual_study": "DualRun DualStudy dual_study",
    "featured": "featured first_pairs",
    "functor_check": "FunctorCheck functor_check",
    "functor_count": "FreeLunch count_functors functors labels_needed no_free_lunch rule",
    "functor_curve": "FunctorCurve learning_curve predicted_reach predicted_sure",
    "functor_learner": "FunctorLearner",
    "functor_spread": "Spread",
    "functor_structure": "Isomorphic Linear Monotone Structure isomorphic unrelated",
    "graph_hom": "rank_hom rank_ideality walk_hom",
    "graph_law": "LaplacianIdentity laplacian_identity",
    "infonce": "nt_xent similarity_graph_loss",
    "kernel_infonce": "KernelInfoNCE",
    "label_ceilings": "LabelCeiling label_ceiling label_ceilings",
    "masked_consistency": "MaskedConsistency masked_consistency",
    "masked_images": "MaskedImages",
    "masked_text": "MaskedText",
    "measures": "alignment effective_rank",
    "mixture_kernel": "mixture_kernel",
    "moco": "MoCo",
    "netmf": "NetMF netmf",
    "node_scores": "NodeScores node_scores score_difference",
    "node_table": "save_nodes",
    "pair_retrieval": "find_partners new_combinations ridge_retrieval two_sided_retrieval",
    "plan": "Plan",
    "random_walks": "PairLaw pair_law",
    "registry": "pretext pretext_names",
    "rotation_fine_tuning": "FineTunedTo fine_tune_to",
    "rotation_groupoid": "ClassVerdict RotationGroupoid indicator orbit_ceiling rotation_groupoid rotation_verdict square_images turned",
    "rotnet": "RotNet RotationIdeality rotation_ideality",
    "spectral_contrastive": "SpectralContrastive",
    "text_losses": "TextLoss ngram_loss text_loss",
    "trainer": "Run load_run train",
    "two_sided": "TwoSided",
    "unlearnable": "Residuals unlearnable",
}

__all__ = [
    "Carried",
    "CarriedRun",
    "CausalText",
    "Checkpoint",
    "ClassVerdict",
    "Data",
    "DeepWalk",
    "DualMaps",
    "DualPlan",
    "DualRun",
    "DualStudy",
    "FineTunedTo",
    "FreeLunch",
    "FunctorCheck",
    "FunctorCurve",
    "FunctorLearner",
    "HeldOut",
    "Isomorphic",
    "KernelInfoNCE",
    "LabelCeiling",
    "LaplacianIdentity",
    "Linear",
    "MaskedConsistency",
    "MaskedImages",
    "MaskedText",
    "MoCo",
    "Monotone",
    "NetMF",
    "NodeScores",
    "PairLaw",
    "Plan",
    "Pretext",
    "Residuals",
    "RotNet",
    "RotationGroupoid",
    "RotationIdeality",
    "Run",
    "SimCLR",
    "SpectralContrastive",
    "Spread",
    "Structure",
    "TaskCategory",
    "TextLoss",
    "TwoSided",
    "alignment",
    "carried_to_unseen",
    "check_pretext",
    "completions",
    "count_functors",
    "dual_study",
    "effective_rank",
    "emoji_names",
    "featured",
    "find_partners",
    "fine_tune_to",
    "first_pairs",
    "functor_check",
    "functors",
    "graph_data",
    "indicator",
    "isomorphic",
    "label_ceiling",
    "label_ceilings",
    "labels_needed",
    "laplacian_identity",
    "learning_curve",
    "load_data",
    "load_graph",
    "load_run",
    "make_data",
    "masked_consistency",
    "mean_correlation",
    "mixture_kernel",
    "netmf",
    "new_combinations",
    "ngram_loss",
    "no_free_lunch",
    "node_scores",
    "nt_xent",
    "orbit_ceiling",
    "pair_law",
    "predicted_completions",
    "predicted_reach",
    "predicted_sure",
    "pretext",
    "pretext_names",
    "rank_correlation",
    "rank_hom",
    "rank_ideality",
    "read_blogcatalog",
    "read_edges",
    "ridge_retrieval",
    "rotation_groupoid",
    "rotation_ideality",
    "rotation_verdict",
    "round_trip_defect",
    "rule",
    "save_images",
    "save_nodes",
    "score_difference",
    "share_home",
    "similarity_graph_loss",
    "square_images",
    "text_loss",
    "train",
    "train_dual",
    "transfer_from_anchors",
    "turned",
    "two_sided_retrieval",
    "unlearnable",
    "unrelated",
    "walk_hom",
]

lazy(
    __name__,
    {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()},
    extra="pretext",
)
