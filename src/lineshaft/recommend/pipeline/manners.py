"""How a crawl behaves: apart from the crawler, whose libraries a pipeline of tables does not need."""

from pydantic import Field

from lineshaft.engine import Part


class Manners(Part):
    """How a crawl behaves towards the site it reads."""

    agent: str = Field("lineshaft", min_length=1, description="the name that robots.txt may address")
    delay: float = Field(1.0, ge=0, description="seconds between requests; robots.txt may ask for more")
    timeout: float = Field(20.0, gt=0, description="seconds to wait for an answer")
    tries: int = Field(4, ge=1, description="requests for one address before it is dropped")
    backoff: float = Field(2.0, gt=0, description="seconds before the second try, doubled for each further")
    patience: float = Field(600.0, gt=0, description="longest wait in seconds, whatever Retry-After says")
    most_bytes: int = Field(5_000_000, gt=0, description="longest page")
    most_pages: int = Field(100_000, gt=0, description="pages after which the crawl ends")
