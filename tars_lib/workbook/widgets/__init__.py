"""Interactive cells for JupyterLab, where ipywidgets is installed."""
