"""Writes tests/fixtures/statistics.json: seeded data and what scipy and statsmodels say of it.

Run from the root of the repository, in an environment with what requirements.txt names:

    python tests/reference/statistics.py           write the fixture
    python tests/reference/statistics.py --check   compare with the written one

The answers are computed by their libraries and by brute force, never by a copy of our formulas:

- paired t test and its interval: `scipy.stats.ttest_rel`;
- exact McNemar: `scipy.stats.binomtest` of the discordant pairs;
- exact sign flips: `scipy.stats.permutation_test` over all assignments; for 17 to 29 pairs, where
  ours draws, the exact p-value by enumeration, to be met within the error of drawing;
- Wilson interval: `statsmodels` `proportion_confint`;
- clusters: ordinary least squares on a constant with `cov_type="cluster"`. statsmodels' small-sample
  factor is G/(G-1) * (n-1)/(n-k); with k = 1, a constant alone, it is G/(G-1), which is ours. Its
  t statistics use G-1 degrees of freedom with `use_t=True`, as ours do;
- kappa: scikit-learn's `cohen_kappa_score`, plain and weighted; its standard error and interval:
  `statsmodels` `cohens_kappa`; the agreement of chance: the fitted values of `statsmodels` `Table`;
- corrections for many tests: `statsmodels` `multipletests`;
- Welch's test and the one with a pooled variance: `scipy.stats.ttest_ind`;
- Fisher's exact test: `scipy.stats.fisher_exact`;
- the interval of a difference of two shares: `statsmodels` `confint_proportions_2indep`, Newcombe's;
- pass@k and pass^k: counting all subsets of k of the n trials;
- weighted means: `numpy.average`; the mode: `scipy.stats.mode`; majorities and passes: by counting;
- changes of a series: for each place the t statistic of a step in a weighted regression
  (`statsmodels` `WLS`), and its p-value over series that are simulated here.
"""

import itertools
from collections import Counter

import numpy as np
from scipy import special, stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from fixtures import write_or_check

ALPHA = 0.05
POWER = 0.8


def fixture():
    return {
        "student_t_two_sided": student_t_two_sided(),
        "student_t_quantile": student_t_quantile(),
        "normal_upper_tail": [[z, float(stats.norm.sf(z))] for z in [-6, -1, 0, 0.1, 1, 1.96, 3, 8, 20, 37]],
        "normal_quantile": [[p, float(special.ndtri(p))] for p in probabilities()],
        "binomial_lower_tail": binomial_lower_tail(),
        "mcnemar": mcnemar(),
        "fisher": fisher(),
        "wilson": wilson(),
        "newcombe": newcombe(),
        "means": means(np.random.default_rng(20260101)),
        "paired": paired(np.random.default_rng(20260102)),
        "agreement": agreement(np.random.default_rng(20260103)),
        "family": family(np.random.default_rng(20260104)),
        "two_means": two_means(np.random.default_rng(20260105)),
        "passes": passes(),
        "weighted": weighted(np.random.default_rng(20260106)),
        "trials": trials(np.random.default_rng(20260107)),
        "classes": classes(np.random.default_rng(20260108)),
        "changes": changes(np.random.default_rng(20260109)),
    }


DEGREES = [1, 2, 3, 4.5, 7, 10, 29, 30, 100, 999, 1e4, 1e5, 1e6]


def probabilities():
    return [1e-12, 1e-9, 1e-6, 1e-4, 0.01, 0.025, 0.1, 0.24, 0.26, 0.4, 0.4999, 0.5, 0.6, 0.8, 0.95, 0.975, 0.999]


def student_t_two_sided():
    times = [1e-6, 0.01, 0.3, 0.9, 1.5, 1.8, 2.5, 4.0, 7.0, 12.0, 40.0, 1000.0]
    answers = [[t, df, float(2 * stats.t.sf(t, df))] for df in DEGREES for t in times]
    return [answer for answer in answers if answer[2] > 1e-290]


def student_t_quantile():
    return [[p, df, float(stats.t.ppf(p, df))] for df in DEGREES for p in probabilities()]


def binomial_lower_tail():
    pairs = [(0, 1), (0, 5), (2, 10), (5, 10), (7, 10), (15, 40), (31, 100), (499, 1000), (420, 1000)]
    pairs += [(4_900, 10_000), (49_500, 100_000), (500_000, 1_000_000), (498_000, 1_000_000)]
    return [[k, n, float(stats.binom.cdf(k, n, 0.5))] for k, n in pairs]


def mcnemar():
    pairs = [(0, 1), (0, 6), (1, 9), (3, 12), (8, 8), (20, 41), (200, 260), (5_000, 5_300)]
    return [[b, c, float(stats.binomtest(b, b + c, 0.5).pvalue)] for b, c in pairs]


def wilson():
    pairs = [(0, 1), (1, 1), (0, 20), (20, 20), (3, 4), (7, 10), (61, 100), (912, 1000), (1, 100_000)]
    return [[k, n, *map(float, proportion_confint(k, n, ALPHA, method="wilson"))] for k, n in pairs]


def fisher():
    """passes and cases of both sides, then the two-sided p-value."""
    sides = [(2, 2, 0, 2), (3, 4, 1, 4), (10, 10, 7, 10), (0, 5, 0, 9), (1, 30, 9, 40), (50, 50, 0, 50)]
    sides += [(60, 100, 45, 90), (475, 500, 2, 3), (910, 1000, 880, 1000), (5, 2000, 40, 1500), (9, 9, 5, 20)]
    return [[a, n, b, m, float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue)] for a, n, b, m in sides]


def newcombe():
    """passes and cases of both sides, then the ends of the interval of the difference of their shares."""
    sides = [(56, 70, 48, 80), (9, 10, 3, 10), (2, 2, 0, 2), (10, 10, 0, 20), (450, 500, 2, 3), (880, 1000, 910, 1000)]
    ends = lambda side: map(float, confint_proportions_2indep(*side, method="newcomb", compare="diff"))
    return [[*side, *ends(side)] for side in sides]


def constant_fit(values, clusters):
    fit = OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": np.asarray(clusters)}, use_t=True
    )
    low, high = fit.conf_int(ALPHA)[0]
    degrees = len(set(clusters)) - 1
    return {
        "se": float(fit.bse[0]),
        "ci_low": float(low),
        "ci_high": float(high),
        "t": float(fit.tvalues[0]),
        "p": float(fit.pvalues[0]),
        "df": degrees,
    }


def means(random):
    cases = []
    for name, scores in [
        ("uniform", random.random(12)),
        ("large mean", 1e6 + random.normal(size=200)),
        ("two", np.array([0.25, 0.75])),
        ("long tail", random.pareto(3, 500)),
    ]:
        interval = stats.ttest_1samp(scores, 0).confidence_interval()
        cases.append({
            "name": name, "scores": scores.tolist(), "clusters": None, "method": "t",
            "mean": float(np.mean(scores)), "sd": float(np.std(scores, ddof=1)),
            "se": float(stats.sem(scores)),
            "ci_low": float(interval.low), "ci_high": float(interval.high),
        })
    for name, n, share in [("binary", 40, 0.7), ("binary few", 5, 0.5)]:
        scores = (random.random(n) < share).astype(float)
        low, high = proportion_confint(int(scores.sum()), n, ALPHA, method="wilson")
        cases.append({
            "name": name, "scores": scores.tolist(), "clusters": None, "method": "wilson",
            "mean": float(scores.mean()), "sd": float(np.std(scores, ddof=1)),
            "se": float(stats.sem(scores)), "ci_low": float(low), "ci_high": float(high),
        })
    for name, scores, clusters in clustered(random):
        fit = constant_fit(scores, clusters)
        cases.append({
            "name": name, "scores": scores.tolist(), "clusters": clusters, "method": "cluster_t",
            "mean": float(scores.mean()), "sd": float(np.std(scores, ddof=1)),
            "se": fit["se"], "ci_low": fit["ci_low"], "ci_high": fit["ci_high"],
        })
    return cases


def clustered(random):
    for name, sizes in [("clusters", [3, 5, 1, 8, 4, 4, 2]), ("two clusters", [6, 9]), ("many clusters", [2] * 60)]:
        clusters = [f"g{g}" for g, size in enumerate(sizes) for _ in range(size)]
        shared = np.repeat(random.normal(scale=0.2, size=len(sizes)), sizes)
        yield name, 0.6 + shared + random.normal(scale=0.1, size=len(clusters)), clusters


def paired(random):
    cases = []
    for n in [2, 3, 8, 16, 17, 22, 29, 30, 120, 1000]:
        base = random.random(n)
        cases.append(paired_case(f"uniform {n}", base, np.clip(base + random.normal(0.05, 0.15, n), 0, 1)))
    tenths = random.integers(0, 11, 14) / 10
    cases.append(paired_case("tenths with ties", tenths, random.integers(0, 11, 14) / 10))
    base = 1e6 + random.normal(size=60)
    cases.append(paired_case("large mean", base, base + random.normal(0.3, 1, 60)))
    for n, gain in [(6, 0.2), (25, 0.3), (400, 0.05)]:
        base = random.random(n) < 0.6
        candidate = np.where(random.random(n) < gain, True, np.where(random.random(n) < 0.1, ~base, base))
        cases.append(paired_case(f"binary {n}", base.astype(float), candidate.astype(float)))
    for name, shift, clusters in clustered(random):
        base = random.random(len(clusters))
        cases.append(paired_case(name, base, base + shift - 0.5, clusters))
    return cases


def paired_case(name, base, candidate, clusters=None):
    differences = candidate - base
    n = len(differences)
    test = stats.ttest_rel(candidate, base)
    interval = test.confidence_interval()
    answer = {
        "base_mean": float(base.mean()), "candidate_mean": float(candidate.mean()),
        "delta": float(differences.mean()), "sd": float(np.std(differences, ddof=1)),
        "se": float(stats.sem(differences)), "df": float(test.df), "t": float(test.statistic),
        "ci_low": float(interval.low), "ci_high": float(interval.high),
    }
    if clusters is not None:
        answer |= constant_fit(differences, clusters) | {"method": "cluster_t"}
    elif set(base) | set(candidate) <= {0.0, 1.0}:
        lost, won = int(((base == 1) & (candidate == 0)).sum()), int(((base == 0) & (candidate == 1)).sum())
        p = 1.0 if lost + won == 0 else float(stats.binomtest(lost, lost + won, 0.5).pvalue)
        answer |= {"method": "mcnemar_exact", "p": p}
    elif n <= 16:
        answer |= {"method": "sign_flip_exact", "p": flipped_all_ways(differences)}
    elif n < 30:
        answer |= {"method": "sign_flip", "p": flipped_by_halves(differences)}
    else:
        answer |= {"method": "paired_t", "p": float(test.pvalue)}
    z = stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(POWER)
    answer["mde"] = float(z * answer["se"])
    return {
        "name": name, "base": base.tolist(), "candidate": candidate.tolist(), "clusters": clusters,
        "n": n, **answer,
    }


def agreement(rng):
    """Two judges of the same things, in 2 to 6 ordered categories."""
    cases = []
    for categories, n, noise in [(2, 40, 0.2), (3, 200, 0.5), (5, 60, 0.9), (6, 1000, 0.3), (4, 25, 0.0)]:
        first = rng.integers(0, categories, n)
        second = np.where(rng.random(n) < noise, rng.integers(0, categories, n), first)
        counts = np.zeros((categories, categories), dtype=int)
        np.add.at(counts, (first, second), 1)
        known = cohens_kappa(counts, return_results=True)
        labels = list(range(categories))
        score = lambda weights: float(cohen_kappa_score(first, second, labels=labels, weights=weights))
        cases.append({
            "counts": counts.tolist(), "kappa": score(None), "linear": score("linear"),
            "quadratic": score("quadratic"), "observed": float((first == second).mean()), "se": float(known.std_kappa),
            "expected": float(np.trace(Table(counts, shift_zeros=False).fittedvalues)) / n,
            "ci_low": float(known.kappa_low), "ci_high": float(known.kappa_upp),
        })
    return cases


def family(rng):
    """p-values, then Holm's and Benjamini and Hochberg's corrections of them."""
    cases = []
    for p in [[0.03], [0.01, 0.04, 0.03], [0.5, 0.5, 0.5], rng.random(12).round(3).tolist(), (rng.random(20) ** 4).tolist()]:
        corrected = lambda method: multipletests(p, method=method)[1].tolist()
        cases.append({"p": p, "holm": corrected("holm"), "fdr_bh": corrected("fdr_bh")})
    return cases


def two_means(rng):
    """mean, standard error and count of two samples, then p by Welch and with a pooled variance."""
    rows = []
    for _ in range(20):
        a, b = rng.normal(0.5, 0.2, rng.integers(2, 80)), rng.normal(0.55, 0.4, rng.integers(2, 80))
        side = lambda x: [float(x.mean()), float(stats.sem(x)), len(x)]
        p = lambda is_pooled: float(stats.ttest_ind(a, b, equal_var=is_pooled).pvalue)
        rows.append([*side(a), *side(b), p(False), p(True)])
    return rows


def passes():
    """trials, passes and k, then pass@k and pass^k."""
    rows = []
    for n in range(1, 9):
        for c in range(n + 1):
            trials = [1] * c + [0] * (n - c)
            for k in range(1, n + 1):
                chosen = list(itertools.combinations(trials, k))
                rows.append([n, c, k, sum(map(any, chosen)) / len(chosen), sum(map(all, chosen)) / len(chosen)])
    return rows


def flipped_all_ways(differences):
    """scipy's exact permutation test of the mean of one sample against 0 (it flips signs)."""
    result = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf,
        alternative="two-sided", vectorized=True,
    )
    return float(result.pvalue)


def flipped_by_halves(differences):
    """The exact p-value for up to 29 differences: all sums of one half against those of the other."""
    def sums(values):
        total = np.zeros(1)
        for value in values:
            total = np.concatenate([total - value, total + value])
        return np.sort(total)

    half = len(differences) // 2
    first, second = sums(differences[:half]), sums(differences[half:])
    threshold = abs(differences.sum()) - 1e-12 * np.abs(differences).sum()
    reaching = (len(second) - np.searchsorted(second, threshold - first)).sum()
    return float(2 * reaching / 2 ** len(differences))


def weighted(rng):
    """Values and weights, then their weighted mean."""
    pairs = [(rng.random(5), rng.random(5)), (1e9 + rng.random(300), rng.pareto(1, 300)), (rng.normal(size=40), rng.integers(0, 4, 40))]
    pairs += [(np.array([1e303, -1e303, 3e302]), np.array([1.0, 0.5, 2.0]))]
    return [
        {"values": v.tolist(), "weights": w.astype(float).tolist(), "mean": float(np.average(v, weights=w))}
        for v, w in pairs
    ]


def trials(rng):
    """The trials of a case, then their mode, their majority and whether at least k reach a half."""
    cases = []
    for n in [1, 2, 3, 4, 5, 8, 9, 15]:
        for _ in range(4):
            scores = rng.integers(0, 4, n) / 4
            most, times = Counter(scores.tolist()).most_common(1)[0]
            passes = int((scores >= 0.5).sum())
            cases.append({
                "scores": scores.tolist(), "mode": float(stats.mode(scores).mode),
                "majority": most if times > n / 2 else None, "at_least": [float(passes >= k) for k in [1, 2, 3]],
            })
    return cases


def classes(rng):
    """Pairs in clusters, then how many are in each class, and the difference of those with both scores."""
    cases = []
    for tolerance, direction in [(1e-9, "higher"), (0.05, "higher"), (0.1, "lower")]:
        n = 120
        clusters = [f"g{g}" for g in rng.integers(0, 17, n)]
        shared = dict(zip(sorted(set(clusters)), rng.normal(0.03, 0.2, 17)))
        base = rng.integers(0, 21, n) / 20
        candidate = np.clip(base + [shared[g] for g in clusters] + rng.normal(0, 0.1, n), 0, 1).round(2)
        base[rng.random(n) < 0.1], candidate[rng.random(n) < 0.1] = np.nan, np.nan
        has = [~np.isnan(base), ~np.isnan(candidate)]
        both = has[0] & has[1]
        gain = (candidate - base)[both] * (1 if direction == "higher" else -1)
        counts = {
            "improved": (gain > tolerance).sum(), "regressed": (gain < -tolerance).sum(),
            "unchanged": (abs(gain) <= tolerance).sum(), "lost_score": (has[0] & ~has[1]).sum(),
            "gained_score": (~has[0] & has[1]).sum(), "no_score": (~has[0] & ~has[1]).sum(), "n": both.sum(),
        }
        answer = paired_case("classes", base[both], candidate[both], list(itertools.compress(clusters, both)))
        cases.append({
            "tolerance": tolerance, "direction": direction, "clusters": clusters,
            "base": [None if np.isnan(x) else float(x) for x in base],
            "candidate": [None if np.isnan(x) else float(x) for x in candidate],
            "counts": {name: int(count) for name, count in counts.items()},
            **{name: answer[name] for name in ["delta", "sd", "se", "ci_low", "ci_high", "t", "df", "p", "mde"]},
        })
    return cases


def changes(rng):
    """Series of means with standard errors, then where they changed."""
    cases = []
    for name, n, tau, steps in [
        ("none", 12, 0.005, {}), ("short", 7, 0.0, {4: -0.2}), ("one", 25, 0.01, {15: -0.06}),
        ("two", 40, 0.01, {12: 0.08, 30: -0.1}), ("the last", 9, 0.0, {8: -0.2}), ("weak", 14, 0.01, {7: 0.035}),
    ]:
        errors = rng.uniform(0.005, 0.02, n)
        level = 0.7 + sum((np.arange(n) >= place) * step for place, step in steps.items())
        means = level + rng.normal(0, np.hypot(tau, errors))
        found = sorted(search(means, np.maximum(errors, np.median(errors)), 0, 0))
        cases.append({"name": name, "means": means.tolist(), "errors": errors.tolist(), "changes": found_in(means, errors, found)})
    return cases


def found_in(means, errors, found):
    """The changes with the weighted means of the stretches on both sides."""
    errors = np.maximum(errors, np.median(errors))
    ends = [0, *(place for place, _ in found), len(means)]
    level = [
        float(np.average(means[a:b], weights=1 / (errors[a:b] ** 2 + between(means[a:b], errors[a:b]))))
        for a, b in zip(ends, ends[1:])
    ]
    return [{"position": place, "before": level[i], "after": level[i + 1], "p": p} for i, (place, p) in enumerate(found)]


def between(means, errors):
    """The variance between runs, from the median square of successive differences."""
    if len(means) < 5:
        return 0.0
    excess = np.median(np.diff(means) ** 2) / stats.chi2.median(1) - np.median(errors[1:] ** 2 + errors[:-1] ** 2)
    return max(0.0, excess / 2)


def search(means, errors, start, depth):
    """Places and p-values of the changes in a stretch: the best split, then both of its sides."""
    n = len(means)
    if n < 3:
        return []
    weights = 1 / (errors**2 + between(means, errors))

    def statistic(k):
        step = (np.arange(n) >= k).astype(float)
        fit = WLS(means, np.column_stack([np.ones(n), step]), weights=weights).fit()
        # Runs vary at least as much as their errors say: a scale below 1 is taken as 1.
        return abs(fit.tvalues[1]) * min(1.0, np.sqrt(fit.scale))

    t = [statistic(k) for k in range(1, n)]
    best = int(np.argmax(t)) + 1
    p = float((largest_of_nothing(n) >= max(t)).mean()) * 2**depth
    if p >= ALPHA:
        return []
    sides = [(means[:best], errors[:best], start), (means[best:], errors[best:], start + best)]
    return [(start + best, p), *(change for side in sides for change in search(*side, depth + 1))]


def largest_of_nothing(n, known={}):
    """The largest |t| over all places of 100,000 normal series without a change."""
    if n not in known:
        series = np.random.default_rng(n).normal(size=(100_000, n))
        k = np.arange(1, n)
        left = np.cumsum(series, axis=1)[:, :-1]
        total, squares = series.sum(axis=1, keepdims=True), (series**2).sum(axis=1, keepdims=True)
        within = squares - left**2 / k - (total - left) ** 2 / (n - k)
        known[n] = (abs(left / k - (total - left) / (n - k)) / np.sqrt(within / max(n - 2, 1) * n / k / (n - k))).max(axis=1)
    return known[n]


if __name__ == "__main__":
    write_or_check("statistics.json", fixture, __doc__)
