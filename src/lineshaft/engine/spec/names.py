"""A run's folder name: a pure function of its configuration."""

import hashlib
import json
import re
import unicodedata
from pathlib import Path

from lineshaft.engine.spec.config import Config, Parent
from lineshaft.engine.spec.spelling import words

MOST_BYTES = 200
UNSAFE = re.compile(r'[/\\\[\]{}"\s,\x00-\x1f\x7f]')


def name(config: Config, version: int | None = None) -> str:
    """The non-default words, `v2` for a raised version (that of the code), the seed last; cut at 200 bytes.

    Wherever replacing or cutting lost something, 8 hex digits of a hash follow, so that different
    configurations of one experiment never share a name.
    """
    *head, seed = words(placeless(config))
    exact = "\n".join([*head, seed])
    body = [parent_word(config.parent) if w.startswith("parent=") and config.parent else w for w in head]
    safe = [replaced(word) for word in body]
    version = config.version if version is None else version
    end = [*([f"v{version}"] if version > 1 else []), seed]
    full = ",".join([*safe, *end])
    if safe == body and len(full.encode()) <= MOST_BYTES:
        return full
    tail = ",".join(["", *end]) + "~" + digest(exact)
    return cut(",".join(safe), MOST_BYTES - len(tail.encode())) + tail


def name_of(address: str) -> str:
    """What an experiment's folder is called: its address, or the stem of its file wherever that lies."""
    return Path(address).stem if address.endswith(".py") else address


def placeless(config: Config) -> Config:
    """The configuration without where the file of its parent lies, which may be moved."""
    if config.parent is None:
        return config
    parent = config.parent.model_copy(update={"experiment": name_of(config.parent.experiment)})
    return config.model_copy(update={"parent": parent})


def replaced(word: str) -> str:
    """The word with `_` for each character that a shell or a file system treats specially."""
    word = UNSAFE.sub("_", word)
    return "".join("_" if unicodedata.category(c)[0] in "CZ" else c for c in word)


def cut(text: str, most: int) -> str:
    """At most `most` bytes of UTF-8, never half a character."""
    return text.encode()[:most].decode(errors="ignore")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def parent_word(parent: Parent) -> str:
    """A parent is named by its experiment, a raised version, and a hash of its whole configuration."""
    version = f"-v{parent.version}" if parent.version > 1 else ""
    return f"parent={name_of(parent.experiment)}{version}-{digest(json.dumps(parent.config, sort_keys=True))}"
