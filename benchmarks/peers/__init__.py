"""The same work by other tools, each a script in a process of its own; none is imported."""
