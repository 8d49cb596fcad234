"""People who may use this installation: accounts, passwords, log-ins and tokens."""
