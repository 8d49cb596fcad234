"""What administrators do: accounts, the audit log."""
