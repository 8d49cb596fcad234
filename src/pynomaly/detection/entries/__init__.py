"""The catalogue's entries, one module per family; none imports a numeric library."""
