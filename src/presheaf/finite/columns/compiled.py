"""The compiled kernel, or None where the package was installed without a C compiler."""

from __future__ import annotations

from types import ModuleType

kernel: ModuleType | None
try:
    from presheaf.finite.columns import _kernel as kernel
except ImportError:
    kernel = None


def have_kernel() -> bool:
    """Whether the compiled kernel is there. Answers do not depend on it, only time does."""
    return kernel is not None
