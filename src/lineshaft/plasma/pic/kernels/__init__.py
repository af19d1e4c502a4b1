"""Two forms of one step: a readable PyTorch reference and the fast CPU kernel."""
