"""NetMF on BlogCatalog, where the file is at hand: PRESHEAF_BLOGCATALOG=FILE.mat make slow."""

from __future__ import annotations

import os

import numpy as np
import pytest

from presheaf.pretext.data_graphs import read_blogcatalog
from presheaf.pretext.netmf import netmf
from presheaf.pretext.node_scores import node_scores
from presheaf.pretext.unlearnable import unlearnable

FILE = os.environ.get("PRESHEAF_BLOGCATALOG", "")
PUBLISHED = {0.1: (38.1, 22.4), 0.5: (42.3, 27.8), 0.9: (44.6, 29.6)}
"""Micro and macro F1 in per cent at T = 10, b = 1, h = 256, d = 128, three shuffles."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not FILE, reason="PRESHEAF_BLOGCATALOG names no file")]


def test_the_published_figures_within_a_point_and_a_half() -> None:
    graph, labels = read_blogcatalog(FILE)
    assert (graph.shape[0], graph.nnz // 2, labels.shape[1]) == (10_312, 333_983, 39)
    embedding = netmf(graph, 128, 10, 1, rank=256)
    for share, (micro, macro) in PUBLISHED.items():
        found = node_scores(embedding.vectors, labels, share, shuffles=3, null=False)
        assert 100 * found.micro.value == pytest.approx(micro, abs=1.5)
        assert 100 * found.macro.value == pytest.approx(macro, abs=1.5)
    residuals = unlearnable(labels, embedding.basis, repeats=799)
    assert 0 < len(residuals.unlearnable()) < 39
    assert np.all([one.value > 0.3 for one in residuals.share])
