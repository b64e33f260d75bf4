"""The documentation: its commands run, its tables are complete, the site builds."""
