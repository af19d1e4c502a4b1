"""What can be run: one experiment a file."""
