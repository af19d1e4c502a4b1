"""The site for guests: a basket in a form, recommendations with reasons out, nothing kept."""
