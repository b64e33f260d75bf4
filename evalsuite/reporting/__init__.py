"""From a run to tables, figures and pages."""
