"""What a corpus is, how it is read and written, and what can be said in it."""
