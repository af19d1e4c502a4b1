"""Every evaluation of this package, for the union of a configuration."""

from lineshaft.continual.evaluate.closed import Lda, Ncm, Ranpac
from lineshaft.continual.evaluate.drift import Drift
from lineshaft.continual.evaluate.fewshot import Fewshot
from lineshaft.continual.evaluate.head import Head
from lineshaft.continual.evaluate.knn import Knn
from lineshaft.continual.evaluate.probe import Probe

AnyEvaluation = Knn | Probe | Head | Fewshot | Drift | Ncm | Lda | Ranpac
