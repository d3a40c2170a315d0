"""Shares in panels: of few the range a share probably lies in, instead of a point that jumps."""

FEW = 30
"""Of fewer a share is a range."""


def share(name: str, part: str, whole: str) -> str:
    """Write two columns: the share in percent, null of few; and of few its range, else nothing."""
    point = f'if({whole} < {FEW}, NULL, round(100 * {part} / {whole}, 1)) AS "{name} %"'
    return f'{point}, {between(part, whole)} AS "{name}, of few"'


def between(part: str, whole: str) -> str:
    """Write the range of a share of few as text; empty of none, and of more than few."""
    low, high = limits(part, whole)
    text = f"concat(toString(floor(100 * {low})), ' to ', toString(ceil(100 * {high})), ' %')"
    return f"if({whole} BETWEEN 1 AND {FEW - 1}, {text}, '')"


def limits(part: str, whole: str) -> tuple[str, str]:
    """Write the lower and the upper limit from 0 to 1: Wilson's interval, 95 %."""
    spread = f"1.96 * sqrt(greatest(0, {part} * ({whole} - {part}) / {whole}) + 0.9604)"
    low, high = (f"({part} + 1.9208 {sign} {spread}) / ({whole} + 3.8416)" for sign in "-+")
    return f"greatest(0, {low})", f"least(1, {high})"
