"""The sequential test of `src/plan/compare/` once more, by products of 60-digit decimals instead of logarithms. Prints the
table that `src/plan/compare/tests/table.rs` compares with: `python3 .ci/compare.py > src/plan/compare/tests/table.txt`."""

from decimal import Decimal, getcontext

getcontext().prec = 60
RATIOS = [Decimal(ratio) for ratio in ("1.5", "2", "3", "5", "10", "20", "50", "100")]
# (requests of blue, failures of blue, requests of green, failures of green) for each minute.
TRIALS = [
    [(80, 0, 20, 3)],
    [(19, 0, 1, 1)] * 3,
    [(4800, 5, 1200, 25)],
    [(480, 1, 120, 2), (490, 0, 110, 3), (470, 0, 130, 2)],
    [(500, 150, 500, 160), (450, 140, 550, 170)],
    [(20, 0, 80, 36)],
    [(1, 0, 1, 12)],
    [(2870, 3, 718, 15)] * 6,
    [(30000, 30, 30000, 30)] * 2,
]


def mixture(minutes, swapped=False):
    """M of green against blue, or of blue against green."""
    total = Decimal(0)
    for r in RATIOS:
        product = Decimal(1)
        for n, b, m, g in [(m, g, n, b) if swapped else (n, b, m, g) for n, b, m, g in minutes]:
            product *= r**g * (Decimal(n + m) / (n + r * m)) ** (g + b)
        total += product
    return total / len(RATIOS)


def enough(blue, green):
    """Fewest failures of green alone, if requests follow these weights."""
    return next(g for g in range(1, 10**4) if mixture([(blue, 0, green, g)]) >= 1000)


if __name__ == "__main__":
    for trial in TRIALS:
        minutes = " ".join(",".join(map(str, minute)) for minute in trial)
        print(f"trial {minutes} | {mixture(trial).ln():.12f} {mixture(trial, True).ln():.12f}")
    for blue, green in [(95, 5), (80, 20), (50, 50), (20, 80), (5, 95), (99, 1)]:
        print(f"alone {blue},{green} | {enough(blue, green)}")
