"""The annotators that a configuration can name."""

from __future__ import annotations

from lineshaft.dialogue.annotators.seq2seq import Seq2seq
from lineshaft.dialogue.annotators.tracker import Scorer, Stacker, Vectors

Tracking = Scorer | Stacker | Vectors
"""Those that score candidates: filters of single slots and the error classifier build on their chances."""
Annotator = Scorer | Stacker | Vectors | Seq2seq
