"""What theory knows of a plasma, measured: see `experiments/validate.py`."""
