"""Writes tests/fixtures/analyses.json: seeded experiments, and what whole analyses have to say of them.

    python tests/reference/analyses.py           write the fixture
    python tests/reference/analyses.py --check   compare with the written one

The answers are computed by numpy, scipy and statsmodels, never by a copy of our formulas:

- within and between cases: the residual variance of `statsmodels` `OLS` on one dummy a case, and the
  standard deviation of the case means;
- pass@k and pass^k: counting all subsets of the trials of a case; over cases Wilson's interval
  (`statsmodels` `proportion_confint`) of the effective number of tosses;
- steps of a history: `scipy.stats.fisher_exact` of passes and failures, else the larger p of
  `scipy.stats.ttest_ind` with and without equal variances; Holm by `multipletests`;
- ranks: the interval of the difference of two experiments, `confint_proportions_2indep` where both
  only pass or fail, and the same test;
- slices of a change: `ttest_ind` of the cases inside against those elsewhere, as above.
"""

import itertools

import numpy as np
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from fixtures import write_or_check

ALPHA = 0.05
SCORES = ["quality", "pass"]
SLICE_MIN = 5  # cases of a slice that is tested
K_MAX = 3


def fixture():
    experiments = logged(np.random.default_rng(20260201))
    return {
        "experiments": experiments,
        "trials": {score: trials(experiments["a"], score) for score in SCORES},
        "history": {score: history(experiments, score) for score in SCORES},
        "ranks": {score: ranks(experiments, score) for score in SCORES},
        "slices": slices(experiments["a"], experiments["b"], "quality"),
    }


def logged(rng):
    """Rows [case, g, h, quality, pass] by experiment: a has three trials a case, d three cases."""
    g, h, hard = rng.choice(list("xyz"), 60), rng.choice(list("uv"), 60), rng.random(60)

    def rows(cases, trials, fall, chance):
        return [
            [case, str(g[case]), str(h[case]), quality(case, fall), float(rng.random() < chance(hard[case]))]
            for case in range(cases)
            for _ in range(trials)
        ]

    def quality(case, fall):
        change = fall if g[case] == "x" else 0
        return float(np.clip(0.8 - 0.4 * hard[case] - change + rng.normal(0, 0.08), 0, 1).round(3))

    return {
        "a": rows(60, 3, 0.0, lambda hard: 1 - 0.5 * hard),
        "b": rows(60, 1, 0.15, lambda hard: 0.9),
        "c": rows(40, 1, 0.15, lambda hard: 0.5),
        "d": [[case, "x", "u", 0.5, 1.0] for case in range(3)],
        "e": rows(60, 1, 0.0, lambda hard: 0.0),
    }


def by_case(rows, score):
    """The trials of each case."""
    cases = {}
    for case, _, _, *values in rows:
        cases.setdefault(case, []).append(values[SCORES.index(score)])
    return cases


def case_means(rows, score):
    return np.array([np.mean(trials) for trials in by_case(rows, score).values()])


def is_binary(values):
    return set(values) <= {0.0, 1.0}


def trials(rows, score):
    cases = by_case(rows, score)
    values = np.array([value for trials in cases.values() for value in trials])
    names = np.array([case for case, trials in cases.items() for _ in trials])
    dummies = (names[:, None] == np.array(list(cases))[None, :]).astype(float)
    means = case_means(rows, score)
    return {
        "row_mean": float(values.mean()), "case_mean": float(means.mean()),
        "within_sd": float(np.sqrt(OLS(values, dummies).fit().mse_resid)), "between_sd": float(means.std(ddof=1)),
        "flaky": sum(len(set(trials)) > 1 for trials in cases.values()),
        "pass": [{"k": k} | chances(cases, k, any, "at_least_one") | chances(cases, k, all, "all") for k in range(1, K_MAX + 1)],
    }


def chances(cases, k, rule, name):
    share = lambda chosen: float(np.mean([rule(value >= 1 for value in some) for some in chosen]))
    values = np.array([share(list(itertools.combinations(trials, k))) for trials in cases.values()])
    n, mean = len(values), values.mean()
    if is_binary(values):
        low, high = proportion_confint(values.sum(), n, ALPHA, method="wilson")
    else:
        # One case more that always passes and one that never does. z of this level is t of n - 1 degrees of freedom.
        more = np.append(values, [0, 1])
        tosses = more.mean() * (1 - more.mean()) / more.var(ddof=1) * n
        level = 2 * stats.norm.sf(stats.t.ppf(1 - ALPHA / 2, n - 1))
        low, high = proportion_confint(mean * tosses, tosses, level, method="wilson")
    return {name: float(mean), f"{name}_low": float(low), f"{name}_high": float(high)}


def p_of_difference(a, b):
    if is_binary(a) and is_binary(b):
        return float(stats.fisher_exact([[a.sum(), len(a) - a.sum()], [b.sum(), len(b) - b.sum()]]).pvalue)
    return float(max(stats.ttest_ind(a, b, equal_var=is_pooled).pvalue for is_pooled in [False, True]))


def history(experiments, score):
    runs = [case_means(rows, score) for rows in experiments.values()]
    p = [p_of_difference(before, after) for before, after in zip(runs, runs[1:])]
    adjusted = [None, *multipletests(p, method="holm")[1].tolist()]
    return [
        {"mean": float(run.mean()), "n": len(run), "step_p": step_p} for run, step_p in zip(runs, adjusted)
    ]


def differ(a, b):
    """Whether noise could explain the difference, by the intervals that are shown."""
    if is_binary(a) and is_binary(b):
        low, high = confint_proportions_2indep(a.sum(), len(a), b.sum(), len(b), method="newcomb", compare="diff")
        return (low > 0 or high < 0) and p_of_difference(a, b) < ALPHA
    if min(a.std(), b.std()) == 0 and not (is_binary(a) or is_binary(b)):
        return p_of_difference(a, b) < ALPHA
    (low_a, high_a), (low_b, high_b) = interval(a), interval(b)
    distance = a.mean() - b.mean()
    low = distance - np.hypot(a.mean() - low_a, high_b - b.mean())
    high = distance + np.hypot(high_a - a.mean(), b.mean() - low_b)
    is_tested = is_binary(a) or is_binary(b)
    return (low > 0 or high < 0) and (not is_tested or p_of_difference(a, b) < ALPHA)


def interval(values):
    if is_binary(values):
        return proportion_confint(values.sum(), len(values), ALPHA, method="wilson")
    return stats.t.interval(1 - ALPHA, len(values) - 1, values.mean(), stats.sem(values))


def ranks(experiments, score):
    runs = {name: case_means(rows, score) for name, rows in experiments.items()}
    better = lambda one: sum(other.mean() > one.mean() and differ(other, one) for other in runs.values())
    return {name: int(1 + better(run)) for name, run in runs.items()}


def slices(base, candidate, score):
    fields = {row[0]: row[1:3] for row in base}
    difference = case_means(candidate, score) - case_means(base, score)
    cases = [fields[case] for case in by_case(base, score)]
    values = [sorted({case[i] for case in cases}) for i in range(2)]
    wanted = [(i, {i: value}) for i in range(2) for value in values[i]]
    wanted += [(2, dict(enumerate(pair))) for pair in itertools.product(*values)]
    found = []
    for _, slice in wanted:
        inside = np.array([all(case[i] == value for i, value in slice.items()) for case in cases])
        if inside.sum() >= SLICE_MIN:
            p = p_of_difference(difference[inside], difference[~inside])
            found.append({"n": int(inside.sum()), "delta": float(difference[inside].mean()), "p": p})
    adjusted = multipletests([slice["p"] for slice in found], method="holm")[1]
    return [slice | {"p_adjusted": float(p)} for slice, p in zip(found, adjusted)]


if __name__ == "__main__":
    write_or_check("analyses.json", fixture, __doc__)
