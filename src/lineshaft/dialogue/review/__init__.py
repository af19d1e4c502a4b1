"""Post-editing of annotations: a page that shows the most doubtful first, and patches that it writes."""
