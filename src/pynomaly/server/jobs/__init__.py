"""Jobs: a lease queue on the application's own tables, its worker and the processes that run the work."""
