"""Figures, tables and experiments of the literature, one small file for each, on one registry."""
