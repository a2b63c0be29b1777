"""Figures that only these notebooks draw, from plain numbers, in the style of `vsodlib.viz`."""
