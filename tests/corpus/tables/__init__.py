"""The tables that the corpus is generated from: see `../generate.py`."""
