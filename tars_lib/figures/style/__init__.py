"""One theme for all figures, and the two widths at which a figure is drawn."""
