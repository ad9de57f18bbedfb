"""Arrow columns of NumPy arrays and names, without pandas.

`pyarrow.array` and `cast` load pandas and the compute functions to ask what they were given, which takes longer than to
write or read a year of samples. Here the type is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def column(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return a column without nulls.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Of the width that `kind` has in memory.
    kind : DataType
        Of fixed width, such as ``int64`` or a timestamp.
    """
    import pyarrow as pa

    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(np.ascontiguousarray(values))])


def coded(codes: NDArray[np.int32], names: Sequence[str]) -> pa.DictionaryArray:
    """Return the names by their position."""
    import pyarrow as pa

    texts = [name.encode() for name in names]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    known = pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))
    return pa.DictionaryArray.from_arrays(column(codes, pa.int32()), known)
