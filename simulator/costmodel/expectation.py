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


def expected_cycles(
    mean: np.ndarray, variance: np.ndarray, numerator: int, denominator: int, least: np.ndarray
) -> np.ndarray:
    """E[max(least, ceil(n numerator / denominator))] of a count n with this mean and variance.

    Exact for variance 0.  Otherwise n mod denominator is taken as even, so that rounding up adds
    (b - 1) / (2 b), b = denominator / gcd, on average.
    """
    b = denominator // math.gcd(numerator, denominator)
    exact = np.ceil(np.round(mean, 9) * numerator / denominator - 1e-9)
    smooth = mean * numerator / denominator + (b - 1) / (2 * b)
    scale = (numerator / denominator) ** 2
    found: np.ndarray = np.where(
        variance > 0, expected_maximum(smooth, variance * scale, least), np.maximum(exact, least)
    )
    return found


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
