-- How good would a perfect choice of experiment for every input be?
-- param project text = null: only this project
-- column project: project
-- column name: score
-- column cases: cases
-- column oracle_mean: mean of the best experiment of each case
-- column overall_mean: mean over all experiments
SELECT project, name, count(*) AS cases, avg(best) AS oracle_mean, avg(mean) AS overall_mean
FROM (
    SELECT project, name, comparison_key_hash, max(score) AS best, avg(score) AS mean
    FROM (
        SELECT project, name, experiment_id, comparison_key_hash, avg(score) AS score
        FROM scores WHERE comparison_key_hash IS NOT NULL AND ($project IS NULL OR project = $project)
        GROUP BY project, name, experiment_id, comparison_key_hash
    )
    GROUP BY project, name, comparison_key_hash
)
GROUP BY project, name
ORDER BY project, name
