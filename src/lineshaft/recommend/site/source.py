"""Which artefact a site serves: a folder, a run that holds one, a run with a model, or the sample."""

import os
from pathlib import Path

from lineshaft.engine import RequestError
from lineshaft.recommend.models.model import load
from lineshaft.recommend.site.artefact import ABOUT, MODEL, Extras, build
from lineshaft.recommend.site.samples import build_books


def found(model: str | None, runs: Path, scratch: Path) -> Path:
    """The folder of the artefact, made in `scratch` where there is only a model or nothing at all."""
    try:
        return _found(model, runs, scratch)
    except OSError as error:
        raise RequestError(
            f"{scratch}: no artefact can be made there ({error.strerror}): set TMPDIR to a place with room"
        ) from None


def _found(model: str | None, runs: Path, scratch: Path) -> Path:
    if model is None:
        return (
            scratch / "sample" if (scratch / "sample" / ABOUT).exists() else build_books(scratch / "sample")
        )
    place = next((p for p in (Path(model).expanduser(), runs / model) if p.is_dir()), None)
    if place is None:
        raise RequestError(f"--model {model}: neither a folder nor a run below {runs}")
    for folder in (place, place / "artefact"):
        if (folder / ABOUT).is_file():
            return folder
    if (place / MODEL).is_file():
        return _from_model(place, scratch)
    raise RequestError(
        f"--model {model}: holds no {ABOUT} and no {MODEL}; make one: lineshaft run recommend.site, "
        "or lineshaft run recommend.train"
    )


def _from_model(place: Path, scratch: Path) -> Path:
    """An artefact around a saved model; one for each state of the file, for a reload to find the new one."""
    stat = (place / MODEL).stat()
    folder = scratch / f"model-{stat.st_mtime_ns}-{stat.st_size}"
    if not (folder / ABOUT).exists():
        making = scratch / f".making-{os.getpid()}"
        build(making, load(place / MODEL), Extras(name="Recommendations"))
        try:
            os.replace(making, folder)
        except OSError:
            pass  # another worker was faster
    return folder
