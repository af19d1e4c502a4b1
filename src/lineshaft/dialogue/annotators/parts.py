"""The annotators that a configuration can name."""

from __future__ import annotations

from lineshaft.dialogue.annotators.tracker import Scorer, Stacker, Vectors

Annotator = Scorer | Stacker | Vectors
