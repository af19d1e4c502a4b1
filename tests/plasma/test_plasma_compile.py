"""Compiled functions: cached under a hash of the sources, and usable where nothing can be written."""

from pathlib import Path

import numba

from lineshaft.plasma.pic import compile as compiling


def double(x):
    return 2 * x


def test_without_a_writable_folder_functions_still_compile(monkeypatch):
    njit = numba.njit

    def nowhere(*args, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*args, **options)

    monkeypatch.setattr(compiling.numba, "njit", nowhere)
    assert compiling.kernel(double)(21) == 42


def test_the_cache_lies_in_the_users_folder_and_leaves_numba_as_it_was(monkeypatch, tmp_path):
    before = numba.config.CACHE_DIR
    compiling.cache_folder.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = Path(compiling.cache_folder())
    compiling.kernel(double)(21.0)
    compiling.cache_folder.cache_clear()
    assert folder.is_relative_to(tmp_path) and list(folder.rglob("*.nbi"))
    assert before == numba.config.CACHE_DIR
