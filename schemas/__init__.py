"""Every shape of data in Touchstream. Floor 1: imports nothing of ours."""
