"""Watching the funnel: `dropoff` judges (pure), `loop` counts, exports and goes on (shell)."""
