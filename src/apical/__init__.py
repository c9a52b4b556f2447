"""Biologically plausible credit assignment: learning rules behind one interface, trained by one loop."""

from importlib.metadata import version

__version__ = version("apical")
