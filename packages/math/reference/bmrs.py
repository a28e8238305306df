"""Writes bmrs.json: the changes of evidence of BMRS_N and BMRS_U (Wright, Igel & Selvan 2024) to 25 digits, from the published
formulas in arithmetic precise enough that nothing underflows or cancels. Needs mpmath. Run it as `python3 reference/bmrs.py`.
"""

import json
import os
import random

from mpmath import exp, log, mpf, nstr

from points import share


def part(mu, sigma, a, b):
    """What of N(mu, sigma^2) lies in [a, b]."""
    return share((a - mu) / sigma, (b - mu) / sigma)


def normal(mu, log_sigma, a, b):
    mu, a, b = mpf(mu), mpf(a), mpf(b)
    sigma, spike = exp(mpf(log_sigma)), mpf("1e-6")
    v, v_p, mu_p = sigma**2, spike**2, a
    v_q = 1 / (1 / v + 1 / v_p)
    mu_q = v_q * (mu / v + mu_p / v_p)
    ratio = part(mu_q, v_q**0.5, a, b) * (b - a) / (part(mu, sigma, a, b) * part(mu_p, spike, a, b))
    return log(ratio) + log(v_q / (v * v_p)) / 2 - (mu**2 / v + mu_p**2 / v_p - mu_q**2 / v_q) / 2


def uniform(mu, log_sigma, a, b, bits):
    mu, a, b, sigma = mpf(mu), mpf(a), mpf(b), exp(mpf(log_sigma))
    low, high = max(a, -23 * log(mpf(2))), min(b, -bits * log(mpf(2)))
    return log(part(mu, sigma, low, high) / part(mu, sigma, a, b)) - log((high - low) / (b - a))


def point(mu, log_sigma, a=-20.0, b=0.0, bits=8):
    place = {"mu": mu, "logSigma": log_sigma, "a": a, "b": b, "bits": bits}
    values = {"normal": normal(mu, log_sigma, a, b), "uniform": uniform(mu, log_sigma, a, b, bits)}
    return {**place, **{name: nstr(value, 25) for name, value in values.items()}}


def other_bounds(random):
    a = round(random.uniform(-60, -8), 3)
    return a, round(max(a, -9.0) + random.uniform(0.01, 60), 3)


if __name__ == "__main__":
    random = random.Random(17)
    spread = lambda low, high: round(random.uniform(low, high), 4)
    corners = [(mu, s) for mu in (-20.0, -19.999999, -15.94, -5.545, 0.0, 0.0001, 5.0) for s in (-20.0, -14.0, -13.8155, -12.0, 0.0, 5.0)]
    places = corners + [(spread(-20, 5), spread(-20, 5)) for _ in range(150)] + [(spread(-20, 5), spread(-1, 5)) for _ in range(40)]
    points = [point(*place) for place in places]
    points += [point(spread(-20, 5), spread(-20, 5), *other_bounds(random), random.choice([4, 8, 2])) for _ in range(60)]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bmrs.json"), "w") as file:
        json.dump(points, file, indent=2)
        file.write("\n")
