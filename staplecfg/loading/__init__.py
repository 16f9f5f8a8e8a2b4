"""Reading everything there is to know into facts. Effects."""
