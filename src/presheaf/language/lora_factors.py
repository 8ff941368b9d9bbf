"""A change of a weight matrix as an arrow: the same arrow for every way of writing it as a product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LowRank:
    """The change ``left @ right`` of a weight matrix, never formed unless it is asked for.

    Attributes
    ----------
    left : array of shape (out, rank)
        LoRA's B, with the adapter's scale multiplied in.
    right : array of shape (rank, in)
        LoRA's A.
    """

    left: Matrix
    right: Matrix

    def __post_init__(self) -> None:
        for name in ("left", "right"):
            object.__setattr__(self, name, real_matrix(name, getattr(self, name)))
        if self.left.shape[1] != self.right.shape[0]:
            raise InputError(
                f"'left' of shape (out, rank) and 'right' of shape (rank, in) must agree in rank; got "
                f"{self.left.shape} and {self.right.shape}."
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.left.shape[0], self.right.shape[1]


@dataclass(frozen=True, eq=False)
class Change:
    """A change in gauge-fixed form, the thin SVD ``left * values @ right.T``.

    (B, A) and (BG, G^-1 A) are the same arrow for every invertible G; this form does not depend on G. Of each pair of
    singular vectors the left one's largest entry is positive.

    Attributes
    ----------
    left : array of shape (out, k)
    values : array of shape (k,), descending, positive
    right : array of shape (in, k)
    """

    left: Matrix
    values: Matrix
    right: Matrix

    @property
    def shape(self) -> tuple[int, int]:
        return self.left.shape[0], self.right.shape[0]

    @property
    def rank(self) -> int:
        """Number of singular values that are not rounding."""
        return len(self.values)

    @cached_property
    def norm(self) -> float:
        """Frobenius norm."""
        return float(np.sqrt(np.sum(self.values**2)))

    @property
    def stable_rank(self) -> float:
        """||M||_F^2 / ||M||_2^2; 0 for no change. Between 1 and the rank."""
        return float(np.sum((self.values / self.values[0]) ** 2)) if self.rank else 0.0

    @property
    def entropy_rank(self) -> float:
        """exp of the entropy of the singular values as shares of their sum (Roy and Vetterli 2007); 0 for no change."""
        if not self.rank:
            return 0.0
        share = self.values / self.values.sum()
        return float(np.exp(-np.sum(share * np.log(share))))

    def directions(self, share: float = 0.9) -> int:
        """How few singular directions hold this share of the squared Frobenius norm."""
        if not self.rank:
            return 0
        held = np.cumsum(self.values**2) / np.sum(self.values**2)
        return int(np.searchsorted(held, share * (1 - 1e-12)) + 1)

    def dense(self) -> Matrix:
        """The change as a matrix of shape (out, in)."""
        return (self.left * self.values) @ self.right.T


def real_matrix(name: str, value: ArrayLike) -> Matrix:
    """A finite real matrix in double precision.

    Raises
    ------
    InputError
        If it isn't a matrix of finite real numbers.
    """
    matrix = np.asarray(value)
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number) or np.iscomplexobj(matrix):
        raise InputError(f"{name!r} must be a real matrix; got shape {matrix.shape} of {matrix.dtype}.")
    matrix = matrix.astype(np.float64, copy=False)
    if not np.isfinite(matrix).all():
        raise InputError(f"{name!r} must be finite; it holds NaN or infinity.")
    return matrix


def gauge_fixed(change: LowRank | Matrix) -> Change:
    """The thin SVD of a change, for a product by QR of both factors, so that the product is never formed.

    Singular values below eps x max(out, in) x the largest are rounding and left out.

    Notes
    -----
    Cost: (out + in) rank^2 for a product, out x in x min(out, in) for a matrix.
    """
    if isinstance(change, LowRank):
        left_basis, left = np.linalg.qr(change.left)
        right_basis, right = np.linalg.qr(change.right.T)
        inner_left, values, inner_right = np.linalg.svd(left @ right.T, full_matrices=False)
        left, right = left_basis @ inner_left, right_basis @ inner_right.T
    else:
        left, values, transposed = np.linalg.svd(real_matrix("change", change), full_matrices=False)
        right = transposed.T
    floor = values[0] * np.finfo(np.float64).eps * max(left.shape[0], right.shape[0]) if len(values) else 0.0
    keep = (values > floor) & (values > 0)
    left, values, right = left[:, keep], values[keep], right[:, keep]
    columns = np.arange(len(values))
    sign = np.where(left[np.abs(left).argmax(axis=0), columns] < 0, -1.0, 1.0) if len(values) else np.ones(0)
    return Change(left * sign, values, right * sign)


def principal_angles(first: Matrix, second: Matrix) -> Matrix:
    """Angles in radians between two subspaces given by orthonormal columns, ascending, shape (min(k, l),).

    Small angles are taken from sines, so that they are exact to rounding (Bjorck and Golub 1973).
    """
    if first.shape[1] < second.shape[1]:
        first, second = second, first
    if second.shape[1] == 0:
        return np.zeros(0)
    inside = first.T @ second
    cosine = np.clip(np.linalg.svd(inside, compute_uv=False), 0, 1)
    sine = np.clip(np.linalg.svd(second - first @ inside, compute_uv=False)[::-1], 0, 1)
    angles: Matrix = np.where(cosine**2 > 0.5, np.arcsin(sine), np.arccos(cosine))
    return angles
