"""The items' vectors, and which of them are nearest to a question's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


class UnusableVectors(Exception):
    """The provider's vectors are not what was asked for; the message holds sizes only."""


def unit_rows(vectors: Sequence[Sequence[float]]) -> Matrix:
    """Return vectors as rows of length one; raises UnusableVectors when they are ragged or not finite."""
    try:
        rows = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UnusableVectors("vectors of several lengths, or not of numbers") from error
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise UnusableVectors(f"vectors of the shape {rows.shape}, or not finite")
    return _at_length_one(rows)


class ItemVectors:
    """A vector per item, searched by brute force: some hundred items take a tenth of a millisecond."""

    def __init__(self, batches: Sequence[Matrix]) -> None:
        """Takes unit rows in the order of the items; raises UnusableVectors when their lengths differ."""
        if len({batch.shape[1] for batch in batches}) != 1:
            raise UnusableVectors("batches of several lengths")
        rows = np.concatenate(batches)
        # What all items have in common tells none from another, and differs from model to model.
        self._common = rows.mean(axis=0)
        self._rows = _at_length_one(rows - self._common)

    def nearest(self, question: Matrix, k: int) -> list[tuple[int, float]]:
        """Return the k nearest items, nearest first, with the cosine; raises UnusableVectors."""
        if question.shape != (1, self._rows.shape[1]):
            raise UnusableVectors(f"{question.shape} for items of {self._rows.shape}")
        cosines = self._rows @ _at_length_one(question - self._common)[0]
        best = np.argsort(-cosines, kind="stable")[:k]
        return [(int(number), float(cosines[number])) for number in best]


def _at_length_one(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, np.float32(1e-12))
