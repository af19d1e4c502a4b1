"""What can be run: `plasma.simulate`."""
