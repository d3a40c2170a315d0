"""What other people's event names mean here: one small file for each vocabulary."""
