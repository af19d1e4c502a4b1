"""What is wrong with automatic annotations, and what to keep of them."""
