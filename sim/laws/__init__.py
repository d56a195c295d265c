"""The laws of influence: one per file, each written once for every firm."""
