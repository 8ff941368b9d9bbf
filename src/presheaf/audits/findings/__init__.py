"""The findings, one a file, in the order they are printed."""

from __future__ import annotations

from presheaf.audits.findings import (
    bl01,
    fe01,
    fe02,
    ft01,
    ft02,
    ft03,
    in01,
    in02,
    in03,
    lb01,
    pr01,
    pr02,
    pr03,
    st01,
)
from presheaf.audits.findings.base import Check, Evidence
from presheaf.audits.result import Finding

CHECKS: tuple[Check, ...] = tuple(
    module.CHECK for module in (pr01, pr02, pr03, ft01, ft02, ft03, in01, in02, in03, fe01, fe02, lb01, bl01, st01)
)


def run_checks(evidence: Evidence) -> tuple[Finding, ...]:
    """Every finding, found or not, in the order of `CHECKS`."""
    return tuple(check.run(evidence) for check in CHECKS)
