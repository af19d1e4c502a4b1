"""One recommender a file; the contract is in model.py."""
