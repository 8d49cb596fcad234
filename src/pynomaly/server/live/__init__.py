"""Changes of jobs as they happen, over a WebSocket."""
