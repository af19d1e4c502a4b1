"""Forms in which corpora are published, read into dialogues."""
