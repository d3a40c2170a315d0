"""Funnels: any steps, read strictly, in order or in any order, and how long each took."""
