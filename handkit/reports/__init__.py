"""HTML reports, each one self-contained file."""
