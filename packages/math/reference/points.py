"""Writes points.json: values of the truncated log-normal to 25 digits, from the textbook formulas in arithmetic
precise enough that nothing underflows or cancels. Needs mpmath. Run it as `python3 reference/points.py`.

The points complement the shared reference file: other bounds, narrow and wide ones, and the corners of the domain.
"""

import json
import os
import random

from mpmath import erfc, exp, log, mp, mpf, nstr, pi, sqrt

mp.dps = 400


def share(alpha, beta):
    """Phi(beta) - Phi(alpha), seen from the side where it is small."""
    root = sqrt(mpf(2))
    if alpha > 0:
        return (erfc(alpha / root) - erfc(beta / root)) / 2
    if beta < 0:
        return share(-beta, -alpha)
    return 1 - (erfc(-alpha / root) + erfc(beta / root)) / 2


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def standardise(mu, log_sigma, a, b):
    sigma = exp(mpf(log_sigma))
    return sigma, (mpf(a) - mpf(mu)) / sigma, (mpf(b) - mpf(mu)) / sigma


def point(mu, log_sigma, a, b):
    sigma, alpha, beta = standardise(mu, log_sigma, a, b)
    z = share(alpha, beta)

    def moment(k):
        return exp(k * mpf(mu) + (k * sigma) ** 2 / 2) * share(alpha - k * sigma, beta - k * sigma) / z

    mean = moment(1)
    variance = moment(2) - mean**2
    at_alpha, at_beta = density(alpha) / z, density(beta) / z
    kl = log(mpf(b) - mpf(a)) - log(2 * pi) / 2 - mpf(1) / 2 - log(sigma) - log(z)
    kl -= (alpha * at_alpha - beta * at_beta) / 2
    # Moments of x = (t - mu) / sigma, by parts.
    x1 = at_alpha - at_beta
    x2 = 1 + alpha * at_alpha - beta * at_beta
    x3 = 2 * x1 + alpha**2 * at_alpha - beta**2 * at_beta
    x4 = 3 * x2 + alpha**3 * at_alpha - beta**3 * at_beta
    values = {
        "logZ": log(z),
        "mean": mean,
        "variance": variance,
        "snr": mean / sqrt(variance),
        "kl": kl,
        "dKlDMu": -(x3 - x1 * x2) / (2 * sigma),
        "dKlDLogSigma": -(x4 - x2**2) / 2,
    }
    return {"mu": mu, "logSigma": log_sigma, "a": a, "b": b, **{name: nstr(v, 25) for name, v in values.items()}}


def quantile(mu, log_sigma, a, b, p):
    sigma, alpha, beta = standardise(mu, log_sigma, a, b)
    z = share(alpha, beta)
    low, high = mpf(a), mpf(b)
    for _ in range(300):
        middle = (low + high) / 2
        x = (middle - mpf(mu)) / sigma
        above = share(x, beta) > (1 - mpf(p)) * z
        low, high = (middle, high) if above else (low, middle)
    return {"mu": mu, "logSigma": log_sigma, "a": a, "b": b, "p": p, "logTheta": nstr(low, 25)}


def draw(random):
    mu, log_sigma = round(random.uniform(-20, 5), 4), round(random.uniform(-20, 5), 4)
    kind = random.randrange(3)
    if kind == 0:
        a, b = -20.0, 0.0
    elif kind == 1:
        a = round(random.uniform(-60, 20), 3)
        b = round(a + random.uniform(0.01, 60), 3)
    else:
        a = random.choice([0.0, -20.0, mu, -300.0, 270.0])
        b = a + random.choice([1e-9, 1e-4, 0.1, 1.0, 30.0])
    return mu, log_sigma, a, b


if __name__ == "__main__":
    random = random.Random(3)
    places = [(mu, s, a, b) for mu in (-20.0, 0.0, 5.0) for s in (-20.0, 5.0) for a, b in ((-20.0, 0.0), (-300.0, 300.0))]
    places += [(-10.0, 5.0, -20.0, 0.0), (0.0, 5.0, 0.0, 1e-20), (5.0, -20.0, -1e-20, 0.0), (-20 + 4e-9, -20.0, -20.0, 0.0)]
    places += [draw(random) for _ in range(150)]
    shares = [1e-300, 1e-12, 0.001, 0.25, 0.5, 0.9, 0.999999]
    result = {
        "points": [point(*place) for place in places],
        "quantiles": [quantile(*place, shares[i % len(shares)]) for i, place in enumerate(places[:90])],
    }
    with open(os.path.join(os.path.dirname(__file__), "points.json"), "w") as file:
        json.dump(result, file, indent=2)
        file.write("\n")
