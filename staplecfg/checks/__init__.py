"""The rules: one file for each thing that can be wrong, its docstring what `explain` prints."""
