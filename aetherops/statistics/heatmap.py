"""Values laid out in rows and columns."""

from __future__ import annotations

from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["generate_heatmap"]


def generate_heatmap(rows: int, cols: int, values: Iterable[float]) -> list[list[float]]:
    """Grid of `rows` lists of `cols` cells, filled row by row.

    Parameters
    ----------
    rows, cols : size of the grid, 0 or more.
    values : the cells in row-major order. Cells that they do not reach are 0.0; values beyond
        the last cell are not read.

    Returns
    -------
    The grid, each cell rounded to 2. No two rows are the same list.

    Raises
    ------
    InvalidInputError
        `rows` or `cols` is negative.
    """
    for field, size in (("rows", rows), ("cols", cols)):
        if size < 0:
            raise InvalidInputError(field, size, "0 or more")
    cells = chain(islice(values, rows * cols), repeat(0.0))
    return [[round(float(cell), 2) for cell in islice(cells, cols)] for _ in range(rows)]
