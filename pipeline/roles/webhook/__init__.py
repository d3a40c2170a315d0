"""Facts leave the pipeline as signed HTTP requests: message → courier → deliveries → role."""
