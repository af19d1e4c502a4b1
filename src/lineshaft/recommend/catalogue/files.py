"""One file as a table of texts: csv, tsv or parquet, whatever parts its columns and however it is encoded.

Everything stays a text until somebody asks for numbers, so that an id like 0012 or 1e5 keeps its zeros.
"""

import gzip
from pathlib import Path

import numpy as np
import polars

from lineshaft.engine import RequestError

SEPARATORS = ",\t;|"
DATE = r"^\d{4}-\d\d-\d\d"


def frame(path: Path, needed: tuple[str, ...], optional: tuple[str, ...]) -> polars.DataFrame:
    """The named columns of a table, all as texts without outer blanks; a missing value is ""."""
    if not path.is_file():
        raise RequestError(f"{path}: there is no such file; name a csv, tsv or parquet file")
    table = _parsed(path)
    table = table.rename({name: name.strip().lower() for name in table.columns})
    if missing := [name for name in needed if name not in table.columns]:
        raise RequestError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(table.columns) or 'none'}: "
            f"the first line must name {', '.join(needed)}"
            f"{' and may name ' + ', '.join(optional) if optional else ''}"
        )
    if not len(table):
        raise RequestError(f"{path}: only a header, no row")
    wanted = [name for name in (*needed, *optional) if name in table.columns]
    return table.select(polars.col(wanted).cast(polars.String).fill_null("").str.strip_chars())


def floats(column: polars.Series, path: Path) -> np.ndarray:
    """The column as numbers; the first that is none is named with its row."""
    numbers = column.cast(polars.Float64, strict=False).to_numpy()
    if len(wrong := np.flatnonzero(~np.isfinite(numbers))):
        raise RequestError(
            f"{path}: {column.name} {column[int(wrong[0])]!r} in data row {int(wrong[0]) + 1} is not a number"
            f" ({len(wrong)} such rows)"
        )
    return numbers


def times(column: polars.Series, path: Path) -> polars.Series:
    """Numbers that stand in the order of the times; a missing one before all others."""
    filled = column.replace("", None)
    numbers = filled.cast(polars.Float64, strict=False)
    if numbers.null_count() > filled.null_count():
        wrong = np.flatnonzero((filled.is_not_null() & ~column.str.contains(DATE)).to_numpy())
        if len(wrong):
            raise RequestError(
                f"{path}: {column.name} {column[int(wrong[0])]!r} in data row {int(wrong[0]) + 1}: times are "
                f"numbers throughout, or dates like 2024-12-31 or 2024-12-31T23:59 ({len(wrong)} other rows)"
            )
        numbers = filled.rank("dense").cast(polars.Float64)
    return numbers.fill_null(-np.inf)


def _parsed(path: Path) -> polars.DataFrame:
    endings = [ending.lower() for ending in path.suffixes]
    try:
        if ".parquet" in endings:
            return _whole(polars.read_parquet(path))
        raw = path.read_bytes()
        text = _decoded(gzip.decompress(raw) if ".gz" in endings else raw)
        if not text.strip():
            return polars.DataFrame()
        return polars.read_csv(text.encode(), separator=_separator(text), infer_schema=False)
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{path}: not UTF-8 at byte {error.start} ({error.object[error.start : error.start + 4]!r}): "
            "save it as UTF-8, for example with iconv -f latin1 -t utf-8"
        ) from None
    except (polars.exceptions.PolarsError, OSError, EOFError) as error:
        why = str(error).splitlines()[0]
        if "more fields" in why:
            why = "a row has more fields than the first line; a text that holds the separator needs quotes"
        raise RequestError(f"{path}: cannot be read as a table: {why}") from None


def _decoded(raw: bytes) -> str:
    """UTF-8, or UTF-16 where its mark says so; every line ends in a newline."""
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    return text if "\n" in text else text.replace("\r", "\n")


def _separator(text: str) -> str:
    """What parts the names in the first line most often."""
    first = text.lstrip().split("\n", 1)[0]
    return max(SEPARATORS, key=first.count)


def _whole(table: polars.DataFrame) -> polars.DataFrame:
    """Columns of whole numbers stored as floats, as pandas does where one is missing: 7 again, not 7.0."""
    whole = [
        name
        for name, kind in table.schema.items()
        if kind.is_float() and bool((table[name].drop_nulls().drop_nans() % 1 == 0).all())
    ]
    return table.with_columns(polars.col(whole).fill_nan(None).cast(polars.Int64)) if whole else table
