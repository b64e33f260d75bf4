"""A report for print: figures at column widths, LaTeX tables, and a block for a model card."""
