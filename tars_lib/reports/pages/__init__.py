"""Turn an executed notebook into HTML and PDF."""
