"""The HTML page, section by section: each module works out what one section shows."""
