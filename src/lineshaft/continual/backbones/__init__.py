"""The networks: a body with `features` and one linear `head` over all classes."""
