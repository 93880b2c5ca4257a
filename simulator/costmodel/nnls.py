"""Least squares with weights that are never negative, pulled towards what they were before anything was seen.

The active-set method of C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", Prentice-Hall 1974, chapter 23.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-10
"""A gradient counts as zero below this share of the largest product of a column with the target."""


def nnls(
    matrix: np.ndarray, target: np.ndarray, prior: np.ndarray | None = None, pull: np.ndarray | None = None
) -> np.ndarray:
    """The x >= 0, float64 [n], that makes |matrix x - target|^2 + sum_j pull_j (x_j - prior_j)^2 smallest.

    matrix float64 [m, n]; target float64 [m]; prior, pull float64 [n], both >= 0 (none: nothing pulls).  Without a
    pull, columns that depend on each other leave several smallest x, of which one is returned.
    """
    a, b = np.asarray(matrix, np.float64), np.asarray(target, np.float64)
    columns = a.shape[1]
    if pull is not None:
        root = np.sqrt(np.asarray(pull, np.float64))
        before = np.ones(columns) if prior is None else np.asarray(prior, np.float64)
        a, b = np.vstack([a, np.diag(root)]), np.concatenate([b, root * before])
    if a.shape[0] > columns + 1:  # the triangle of a QR decomposition asks the same question in n + 1 rows
        triangle = np.asarray(np.linalg.qr(np.column_stack([a, b]), mode="r"))
        a, b = triangle[:, :-1], triangle[:, -1]
    scale = np.sqrt((a * a).sum(axis=0))
    scale[scale == 0] = 1.0
    return _lawson_hanson(a / scale, b) / scale


def _lawson_hanson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same for columns of length one and nothing that pulls."""
    columns = a.shape[1]
    x, passive = np.zeros(columns), np.zeros(columns, bool)
    limit = TOLERANCE * max(float(np.abs(a.T @ b).max(initial=0.0)), np.finfo(float).tiny)
    for _ in range(3 * columns + 10):  # each round frees one column; the method ends after finitely many
        gradient = np.where(passive, -np.inf, a.T @ (b - a @ x))
        if passive.all() or gradient.max() <= limit:
            return x
        passive[int(np.argmax(gradient))] = True
        while True:
            free = np.flatnonzero(passive)
            wanted = np.zeros(columns)
            wanted[free] = np.linalg.lstsq(a[:, free], b, rcond=None)[0]
            if (wanted[free] > 0).all():
                x = wanted
                break
            below = free[wanted[free] <= 0]
            steps = x[below] / np.maximum(x[below] - wanted[below], np.finfo(float).tiny)
            x = x + steps.min() * (wanted - x)
            passive[below[steps == steps.min()]] = False
            x[~passive] = 0.0
            if not passive.any():
                break
    return x
