"""The ledger of headline claims, computed from finished runs."""
