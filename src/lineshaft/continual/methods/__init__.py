"""Methods of continual learning; one file each. They compose as a list and never own the loop."""
