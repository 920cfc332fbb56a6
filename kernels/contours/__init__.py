"""Outlines: of a level between pixels, and of the pixels that are not zero.

    squares.py   marching squares: where a surface through the pixels crosses a level
    borders.py   border following: the pixels along the edges of components and of their holes

Both walk the image once in order, and what they find depends on what they found before: so each is one loop, compiled
as it stands, and what comes out is as long as the outlines are. They are steps of filters, not operations with
variants.
"""

from .borders import follow_borders, tree_of
from .squares import level_lines

__all__ = ["follow_borders", "level_lines", "tree_of"]
