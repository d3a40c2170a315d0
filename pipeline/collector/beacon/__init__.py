"""The script tag for web pages, and how it is handed out."""
