"""Where the expressions of map and reduce are computed: DuckDB in this process, or Spark.

Both read the same parquet files and get the same Ibis expressions. Rows come back in the order that the
expression asks for and are written here, so that both give the same file to the byte.
"""

import os
import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from lineshaft.engine import Part, RequestError

BATCH = 50_000


class Backend(Part):
    """An engine for expressions."""

    @abstractmethod
    def connect(self, scratch: Path) -> Any:
        """An Ibis connection that may spill into a folder."""

    def read(self, connection: Any, parts: Path, name: str) -> Any:
        """A parquet file, or the parquet files of a folder as one table."""
        found = sorted(parts.glob("*.parquet")) if parts.is_dir() else [parts]
        return connection.read_parquet([str(part) for part in found], table_name=name)

    def batches(self, connection: Any, expression: Any) -> Iterator[pa.RecordBatch]:
        """The rows of an expression in its order, a bounded number at a time."""
        yield from connection.to_pyarrow_batches(expression, chunk_size=BATCH)

    def write(self, connection: Any, expression: Any, path: Path) -> int:
        """Write an expression's rows in its own order, whole or not at all; returns their number."""
        schema, rows = expression.schema().to_pyarrow(), 0
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".writing")
        with pq.ParquetWriter(temporary, schema) as writer:
            for batch in self.batches(connection, expression):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
                rows += batch.num_rows
        temporary.replace(path)
        return rows

    def close(self, connection: Any) -> None:
        connection.disconnect()

    @contextmanager
    def session(self, scratch: Path) -> Iterator[Any]:
        """A connection for the length of a stage."""
        scratch.mkdir(parents=True, exist_ok=True)
        connection = self.connect(scratch)
        try:
            yield connection
        finally:
            self.close(connection)


class DuckDB(Backend):
    """In this process; spills to disk beyond its memory."""

    name: Literal["duckdb"] = "duckdb"
    memory: str = Field("1GB", pattern=r"^\d+(\.\d+)?\s?[KMG]i?B$", description="most memory, as 500MB")
    threads: int = Field(1, ge=1, description="threads of DuckDB")

    def connect(self, scratch: Path) -> Any:
        import ibis

        return ibis.duckdb.connect(
            temp_directory=str(scratch),
            memory_limit=self.memory,
            threads=self.threads,
            preserve_insertion_order=False,
        )

    def batches(self, connection: Any, expression: Any) -> Iterator[pa.RecordBatch]:
        import ibis

        # DuckDB 2 has renamed the call that Ibis 12 makes for batches.
        yield from connection.con.sql(ibis.to_sql(expression, dialect="duckdb")).to_arrow_reader(BATCH)


class Spark(Backend):
    """On Spark: local cores or a cluster. Needs `pip install 'lineshaft[spark]'` and Java 17 or newer."""

    name: Literal["spark"] = "spark"
    master: str = Field("local[2]", description="as local[2], spark://host:7077, yarn")
    memory: str = Field("1g", pattern=r"^\d+[kmg]$", description="memory of the driver")
    partitions: int = Field(8, ge=1, description="partitions of a shuffle")

    def connect(self, scratch: Path) -> Any:
        import ibis

        try:
            from pyspark.sql import SparkSession
        except ModuleNotFoundError:
            raise RequestError("backend=spark needs pyspark: pip install 'lineshaft[spark]'") from None
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": self.memory,
            "spark.local.dir": str(scratch),
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": str(self.partitions),
            "spark.sql.execution.arrow.pyspark.enabled": "true",
            "spark.log.level": "ERROR",
        }
        builder = SparkSession.builder.master(self.master).appName("lineshaft")
        for key, value in settings.items():
            builder = builder.config(key, value)
        try:
            session = builder.getOrCreate()
        except Exception as error:  # py4j's own errors; without Java its gateway raises a RuntimeError
            raise RequestError(
                f"backend=spark: Spark does not start ({str(error)[:200]}): is Java installed?"
            ) from None
        return ibis.pyspark.connect(session)

    def read(self, connection: Any, parts: Path, name: str) -> Any:
        path = re.sub(r"([\\{}\[\]*?])", r"\\\1", str(parts))
        return connection.read_parquet(path, table_name=name)

    def close(self, connection: Any) -> None:
        connection._session.stop()
