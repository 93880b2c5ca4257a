"""Expected values of rounded and clipped counts of independent events."""

from __future__ import annotations

import math

import numpy as np

SQRT_2_PI = math.sqrt(2 * math.pi)


def normal_below(z: np.ndarray) -> np.ndarray:
    """Share of a standard normal below `z`, to 1.5e-7: Abramowitz and Stegun, Handbook (1964), formula 7.1.26."""
    x = np.abs(z) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * x)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * poly * np.exp(-x * x)
    return np.where(z > 0, 1 - tail, tail)


def expected_maximum(mean: np.ndarray, variance: np.ndarray, least: np.ndarray) -> np.ndarray:
    """E[max(least, X)] of a normal X: least + (m - least) F(z) + s f(z), z = (m - least) / s; exact for variance 0."""
    s = np.sqrt(np.maximum(variance, 0))
    z = (mean - least) / np.where(s > 0, s, 1)
    soft = least + (mean - least) * normal_below(z) + s * np.exp(-z * z / 2) / SQRT_2_PI
    found: np.ndarray = np.where(s > 0, soft, np.maximum(mean, least))
    return found


FEW = 16
"""Least cycles below which counts are looked at one by one; above, they are taken as normal."""


def expected_cycles(
    mean: np.ndarray, variance: np.ndarray, numerator: int, denominator: int, least: np.ndarray
) -> np.ndarray:
    """E[max(least, ceil(n numerator / denominator))] of a count n with this mean and variance.

    Exact for variance 0.  Otherwise n is of Panjer's class (ASTIN Bulletin 12, 1981): binomial, Poisson or negative
    binomial as the variance is below, at or above the mean.  Where `least` is more than FEW, n is normal, and
    n mod denominator even, so that rounding up adds (b - 1) / (2 b), b = denominator / gcd, on average.
    """
    b = denominator // math.gcd(numerator, denominator)
    exact = np.ceil(np.round(mean, 9) * numerator / denominator - 1e-9)
    even = (b - 1) / (2 * b)
    smooth = mean * numerator / denominator + even
    scale = (numerator / denominator) ** 2
    few = least <= FEW
    counted = np.where(few & (variance > 0), _counted(mean, variance, numerator, denominator, least, even), 0)
    found: np.ndarray = np.where(
        variance > 0,
        np.where(few, counted, expected_maximum(smooth, variance * scale, least)),
        np.maximum(exact, least),
    )
    return found


def _counted(
    mean: np.ndarray, variance: np.ndarray, numerator: int, denominator: int, least: np.ndarray, even: float
) -> np.ndarray:
    """E[ceil(n r)] + sum over j < least of P(ceil(n r) <= j), r = numerator / denominator, for n of Panjer's class."""
    m = np.maximum(mean, 1e-12)
    least_variance = (m - np.floor(m)) * (1 - m + np.floor(m))  # of any count with this mean
    v = np.maximum(variance, np.maximum(least_variance, 1e-12))
    v = np.where(np.abs(v / m - 1) < 1e-6, m * (1 + 1e-6), v)
    alpha = 1 - m / v
    beta = m * m / v - alpha
    share = np.exp((alpha + beta) / alpha * np.log1p(-alpha))  # of n = 0
    total, rounded, below = np.zeros_like(m), np.zeros_like(m), np.zeros_like(m)
    most = min(FEW, math.ceil(float(least.max(initial=1))))
    last = math.ceil(max(4, most - 1) * denominator / numerator)
    for n in range(last + 1):
        if n:
            share = np.minimum(share * np.maximum(alpha + beta / n, 0), 1 - total)
        total += share
        rounded += share * (-n * numerator % denominator) / denominator
        below += share * np.maximum(least - math.ceil(n * numerator / denominator), 0)
    found: np.ndarray = m * numerator / denominator + rounded + np.maximum(1 - total, 0) * even + below
    return np.maximum(found, np.maximum(least, m * numerator / denominator))


def largest_of(count: int, trials: int, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the largest of `count` independent binomials of `trials` draws with probability `p`.

    E[M] = sum over j < trials of 1 - F(j)^count, F the distribution function of one.
    """
    below = np.zeros_like(p)
    mean, second = np.zeros_like(p), np.zeros_like(p)
    for j in range(trials):
        below = below + math.comb(trials, j) * p**j * (1 - p) ** (trials - j)
        above = 1 - np.minimum(below, 1) ** count
        mean, second = mean + above, second + (2 * j + 1) * above
    return mean, np.maximum(second - mean * mean, 0)
