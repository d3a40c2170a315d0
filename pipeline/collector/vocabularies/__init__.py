"""What other companies' event names mean here: one small file for each vocabulary."""
