"""The page: what `make page` builds of the sources beside it, and how it is served."""
