"""`data ls`, `data get`, `data check`: data sets, where they lie and whether they are the known ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineshaft.cli import DONE, FAILED
from lineshaft.cli.output import plain, print_json, print_table, register, say

if TYPE_CHECKING:
    from lineshaft.engine.data.dataset import Dataset

Name = Annotated[str | None, typer.Argument(help="a data set (default: all)")]
Json = Annotated[bool, typer.Option("--json", help="a list, and nothing else")]
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def data() -> None:
    """Data sets: where they lie, licences, download."""


def ls(name: Name = None, json: Json = False) -> None:
    """Each data set with the folder it was found in, or the files it lacks; one alone with all its files."""
    found = [described(each) for each in chosen(name)]
    if json:
        print_json(found)
    elif name is None:
        print_table([[d["name"], d["found"], d["licence"]] for d in found], ["data set", "found", "licence"])
    else:
        (one,) = found
        print_table([[k, one[k]] for k in ("name", "found", "licence", "source")], ["", ""])
        print_table([[f["path"], f["state"], f["url"]] for f in one["files"]], ["file", "state", "address"])


def get(name: Annotated[str, typer.Argument(help="a data set")]) -> None:
    """Download what is missing of a data set; a file is put in place once its checksum is right."""
    from lineshaft.engine.data.download import get

    (each,) = chosen(name)
    say(f"{each.name}: {each.licence}\nsource: {each.source}")
    say(f"complete: {plain(str(get(each, lambda url: say(f'downloading {url}'))))}")


def check(name: Name = None) -> int:
    """Compare the checksums of all files that are here with the known ones."""
    from lineshaft.engine.data.dataset import checksum

    wrong = 0
    for each in chosen(name):
        home = place(each)
        for file, known in each.files.items():
            state = "missing"
            if (home / file).is_file():
                state = "right" if checksum(home / file) == known else "WRONG"
            wrong += state == "WRONG" or (state == "missing" and name is not None)
            print(f"{state:8} {plain(str(home / file))}")
    return FAILED if wrong else DONE


def chosen(name: str | None) -> list["Dataset"]:
    from lineshaft.engine.data.dataset import dataset, datasets

    return list(datasets().values()) if name is None else [dataset(name)]


def place(each: "Dataset") -> Path:
    from lineshaft.engine.data.download import place

    return place(each)


def described(each: "Dataset") -> dict[str, Any]:
    """What `ls` tells of a data set; nothing is read but the names of files."""
    from lineshaft.engine.data.dataset import absent

    home = place(each)
    lacks = absent(each, home)
    files = [
        {
            "path": plain(str(home / file)),
            "sha256": known,
            "state": "missing" if file in lacks else "here",
            "url": each.urls.get(file, ""),
        }
        for file, known in each.files.items()
    ]
    found = f"{len(lacks)} of {len(each.files)} files missing" if lacks else plain(str(home))
    values = {"name": each.name, "found": found, "complete": not lacks, "licence": each.licence}
    return {**values, "source": each.source, "files": files}


for verb in (ls, get, check):
    register(app, verb)
