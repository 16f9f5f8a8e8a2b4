"""The rules that are nginx's own: one file for each thing that can be wrong."""
