"""HTML and SVG that a notebook shows: tables, and curves as small pictures."""

from fjax.markup.curves import Band as Band
from fjax.markup.curves import Curve as Curve
from fjax.markup.curves import Mark as Mark
from fjax.markup.curves import Panel as Panel
from fjax.markup.curves import draw_panels as draw_panels
from fjax.markup.curves import format_number as format_number
from fjax.markup.html import CODE as CODE
from fjax.markup.html import FAINT as FAINT
from fjax.markup.html import draw_table as draw_table
from fjax.markup.html import tag as tag
