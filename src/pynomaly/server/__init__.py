"""The server: features, jobs and web, on one database and one store of files."""
