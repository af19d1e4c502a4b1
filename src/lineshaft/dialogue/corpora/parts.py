"""The corpora that a configuration can name."""

from __future__ import annotations

from lineshaft.dialogue.corpora.own import Corpus
from lineshaft.dialogue.corpora.public import Crosswoz, Multiwoz
from lineshaft.dialogue.corpora.sample import Sample
from lineshaft.dialogue.corpora.woz2 import Woz2
from lineshaft.dialogue.corpora.xrisawoz import Xrisawoz
from lineshaft.dialogue.corpora.xrisawoz_dev import XrisawozDev

Data = Sample | Woz2 | Xrisawoz | XrisawozDev | Crosswoz | Multiwoz | Corpus
