"""The experiment engine: what an experiment imports."""

from lineshaft.engine.data.dataset import Dataset
from lineshaft.engine.errors import RequestError
from lineshaft.engine.report.figure import Figure
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.run import Run
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import Config, Part

__all__ = ["Config", "Dataset", "Figure", "Folder", "Options", "Part", "RequestError", "Run"]
