"""Downloading a data set whose files can be had as they are."""

from pathlib import Path

from lineshaft.engine.data import Dataset, missing, roots
from lineshaft.engine.errors import RequestError


def get(dataset: Dataset) -> Path:
    """Download what is missing, checksum verified; files without an address must be placed by hand."""
    import pooch

    home = roots()[0] / dataset.folder
    absent = [name for name in dataset.files if not (home / name).is_file()]
    if not dataset.urls.keys() >= set(absent):
        raise RequestError(missing(dataset))
    for name in absent:
        try:
            pooch.retrieve(dataset.urls[name], f"sha256:{dataset.files[name]}", fname=name, path=home)
        except Exception as error:
            raise RequestError(f"{dataset.urls[name]}: {error}\n{missing(dataset)}") from None
    return home
