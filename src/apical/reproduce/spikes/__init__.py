"""Experiments on microcircuits that spike."""
