"""Samples as Parquet or Arrow, by pyarrow, which need not be installed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from aetherops.archive.samples import Samples

__all__ = ["new_columnar_writer"]


class _ColumnarWriter:
    """A column of times (microseconds, UTC) and one of values; a page is a group of rows."""

    def __init__(self, schema: pa.Schema, writer: Any) -> None:
        self._schema = schema
        self._writer = writer

    def write(self, samples: Samples) -> None:
        """Take some more samples."""
        import pyarrow as pa

        columns = [
            pa.array(samples.times_us.view("datetime64[us]"), self._schema.field("time").type),
            pa.array(samples.values),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))

    def finish(self) -> None:
        """Write what a reader needs to find its way."""
        self._writer.close()


def new_columnar_writer(form: str, file: BinaryIO, record: Mapping[str, Any]) -> _ColumnarWriter:
    """A writer of Parquet or of an Arrow file, with the stream in the schema's metadata."""
    import pyarrow as pa

    metadata = {key: str(record[key]) for key in ("name", "unit")}
    metadata["kind"] = str(record["kind"]).lower()
    fields = [
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
    schema = pa.schema(fields, metadata)
    if form == "arrow":
        return _ColumnarWriter(schema, pa.ipc.new_file(file, schema))
    from pyarrow import parquet

    return _ColumnarWriter(schema, parquet.ParquetWriter(file, schema, compression="zstd"))
