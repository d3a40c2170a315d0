"""PURE: sessions, people, phases, abandonment. No I/O, no clock, no randomness: state and time
are arguments. A test fails the build if a module here imports anything that does I/O.
"""
