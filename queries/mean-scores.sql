-- Question: how does every experiment score?
-- Columns: project, experiment, score name, cases with a value, cases without one, mean with its 95 % interval over rows
SELECT project, experiment, name, ci['n'] AS n, missing, ci['mean'] AS mean, ci['ci_low'] AS ci_low, ci['ci_high'] AS ci_high
FROM (
    SELECT project, experiment, name, mean_ci(score) AS ci, count(*) - count(score) AS missing
    FROM scores GROUP BY project, experiment, name
)
ORDER BY project, name, mean DESC
