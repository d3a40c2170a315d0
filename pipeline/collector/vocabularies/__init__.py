"""What other companies' events mean here: one small file for each vocabulary."""
