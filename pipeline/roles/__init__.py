"""The small roles: sink, drain, watch, webhook."""
