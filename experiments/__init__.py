"""Asks questions of the model: designs, runs, results, reports and the command `influence`."""
