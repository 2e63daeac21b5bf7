-- How does every experiment score?
-- param project text = null: only this project
-- column project: project
-- column experiment: experiment
-- column name: score
-- column n: rows with a value
-- column missing: rows without one
-- column mean: mean over rows
-- column ci_low: lower end of its 95 % interval
-- column ci_high: upper end of it
SELECT project, experiment, name, ci['n'] AS n, missing, ci['mean'] AS mean, ci['ci_low'] AS ci_low, ci['ci_high'] AS ci_high
FROM (
    SELECT project, experiment, name, mean_ci(score) AS ci, count(*) - count(score) AS missing
    FROM scores WHERE ($project IS NULL OR project = $project) GROUP BY project, experiment, name
)
ORDER BY project, name, mean DESC
