"""Tools for authors of flows: a handset in the terminal, drawings, schemas, layout, translations."""
