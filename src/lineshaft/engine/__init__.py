"""The experiment engine: what an experiment imports."""

from lineshaft.engine.config import Config, Part
from lineshaft.engine.data import Dataset
from lineshaft.engine.errors import RequestError
from lineshaft.engine.figure import Figure
from lineshaft.engine.options import Options
from lineshaft.engine.run import Run
from lineshaft.engine.store import Folder

__all__ = ["Config", "Dataset", "Figure", "Folder", "Options", "Part", "RequestError", "Run"]
