"""Figures, tables and the page of results, from run folders alone: nothing here runs a model."""

from apical.report.figure import AnyFigure as AnyFigure
from apical.report.figure import Axis as Axis
from apical.report.figure import Figure as Figure
from apical.report.figure import ImageGrid as ImageGrid
from apical.report.figure import Interval as Interval
from apical.report.figure import IntervalPanel as IntervalPanel
from apical.report.figure import Panel as Panel
from apical.report.figure import Reference as Reference
from apical.report.figure import Series as Series
from apical.report.figure import Span as Span
from apical.report.figure import Tile as Tile
from apical.report.figure import TileRow as TileRow
from apical.report.interactive import render_interactive as render_interactive
from apical.report.page import Part as Part
from apical.report.page import write_page as write_page
from apical.report.static import render_static as render_static
from apical.report.write import write_report as write_report
