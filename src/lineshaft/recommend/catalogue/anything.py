"""Every data set of this package, as one choice."""

from typing import Annotated

from pydantic import Field

from lineshaft.recommend.catalogue.aldi import Aldi
from lineshaft.recommend.catalogue.animeulike import Animeulike
from lineshaft.recommend.catalogue.citeulike import Citeulike
from lineshaft.recommend.catalogue.source import Own, Sample

AnySource = Annotated[Sample | Own | Citeulike | Animeulike | Aldi, Field(discriminator="name")]
