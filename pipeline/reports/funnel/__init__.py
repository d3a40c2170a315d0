"""Funnels: any steps, read strictly, in order or in any order, with the time of each step."""
