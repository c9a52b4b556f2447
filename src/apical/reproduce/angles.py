"""Axes of angles, the same wherever directions are compared."""

from apical.report import Axis, Reference
from apical.report.theme import DEGREE

ANGLE = Axis("angle (degrees)", limits=(0.0, 100.0), ticks=(0.0, 30.0, 60.0, 90.0))
RIGHT_ANGLE = Reference(90.0, f"90{DEGREE}")
