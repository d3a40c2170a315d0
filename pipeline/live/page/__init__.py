"""The page: what `make page` builds from the sources here, and how it is served."""
