"""The learned hybrid particle-continuum solver: see `experiments/train.py` for the whole in one place."""
