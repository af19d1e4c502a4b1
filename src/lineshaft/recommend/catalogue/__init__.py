"""What is recommended: items with titles and texts, edges between them, and the tables they come from."""
