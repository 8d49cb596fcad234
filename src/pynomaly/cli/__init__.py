"""The command line: one module for each verb; each parses, calls the library or a service, and presents."""
