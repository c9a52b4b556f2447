"""Experiments on dendritic microcircuits, one small file each."""
