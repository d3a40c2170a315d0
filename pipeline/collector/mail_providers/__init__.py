"""What mail providers report: one small file for each provider's signature and words."""
