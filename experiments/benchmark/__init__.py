"""The speed benchmark, `python -m experiments.benchmark`, and the references it compares with.

Nothing outside this package and its tests uses what is written here.
"""
