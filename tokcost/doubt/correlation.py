"""Inputs that move together: a table of rank correlations, as a Gaussian copula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from tokcost.doubt.asked import numbers
from tokcost.quantities import QuantityError, nearest

#: (input, input) -> Spearman's rank correlation; pairs that are not named are independent
RankTable: TypeAlias = Mapping[tuple[str, str], float]


def score_correlation(names: Sequence[str], ranks: RankTable | None) -> np.ndarray:
    """The correlations of standard scores that give these rank correlations: 2 sin(pi rank / 6) for each pair.

    Source: W. Kruskal, "Ordinal measures of association", Journal of the American Statistical Association 53 (1958).
    Raises: QuantityError for an input that is not uncertain, a rank outside -1 to 1, and a table that no inputs can have.

    >>> score_correlation(["a", "b"], {("a", "b"): 0.5})[0, 1].round(4)
    np.float64(0.5176)
    """
    matrix = np.eye(len(names))
    if ranks is not None and not isinstance(ranks, Mapping):
        raise QuantityError(f"correlations are a table {{(input, input): rank}}, got {str(ranks)[:60]}")
    for pair, rank in (ranks or {}).items():
        if not isinstance(pair, tuple) or len(pair) != 2 or pair[0] == pair[1]:
            raise QuantityError(f"a correlation is between two inputs, got {pair!r}")
        for name in pair:
            if name not in names:
                raise QuantityError(f"a correlation names `{name}`, which is no uncertain input{nearest(name, names)}")
        if not -1 < float(numbers("rank correlations", rank)) < 1:
            raise QuantityError(
                f"the rank correlation of `{pair[0]}` and `{pair[1]}` must be in (-1, 1), got {rank:g}; make them one input if it is 1"
            )
        i, j = (list(names).index(name) for name in pair)
        matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi * rank / 6)
    if np.linalg.eigvalsh(matrix).min() <= 0:
        said = ", ".join(f"{first} with {second} {rank:g}" for (first, second), rank in (ranks or {}).items())
        raise QuantityError(f"no inputs can be correlated like this (the table is not positive definite): {said}; lower one of them")
    return matrix
