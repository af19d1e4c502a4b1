"""Small embedded inputs: generated here, so that every demo works offline."""
