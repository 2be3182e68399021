"""How the documentation site is built: hooks of MkDocs, and a check of translations."""
