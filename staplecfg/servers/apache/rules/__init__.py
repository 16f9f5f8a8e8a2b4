"""The rules that are Apache's own: one file for each thing that can be wrong."""
