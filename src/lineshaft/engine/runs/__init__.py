"""Many finished runs, read from their files: finding, listing, relaunching, keeping order."""
