"""Vectors of hashed character n-grams: near when texts share letters."""

import math
import unicodedata
import zlib
from array import array
from collections import Counter
from functools import lru_cache


@lru_cache(maxsize=4096)
def vector(text: str, dimensions: int) -> "array[float]":
    """Return a 32-bit vector of length one: each 1- to 3-gram adds to one hashed place."""
    sums = [0.0] * dimensions
    for gram, times in Counter(_grams(text)).items():
        mark = zlib.crc32(gram.encode())
        sums[(mark >> 1) % dimensions] += math.sqrt(times) * (1 if mark & 1 else -1)
    length = math.hypot(*sums) or 1.0
    return array("f", [one / length for one in sums])


def _grams(text: str) -> list[str]:
    plain = f" {unicodedata.normalize('NFKC', text).lower().strip()} "
    return [plain[at : at + size] for size in (1, 2, 3) for at in range(len(plain) - size + 1)]
