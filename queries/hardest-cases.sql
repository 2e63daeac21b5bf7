-- Which inputs fail in most experiments?
-- param project text = null: only this project
-- param score text = null: only this score
-- param threshold number = 0.5: a case fails below this mean
-- param limit integer = 100: rows to show
-- column project: project
-- column name: score
-- column input: input of the case
-- column experiments: experiments that ran it
-- column failing: experiments in which it fails
-- column mean: mean over experiments
SELECT project, name, min(input) AS input, count(*) AS experiments,
       sum(CASE WHEN mean < $threshold THEN 1 ELSE 0 END) AS failing, avg(mean) AS mean
FROM (
    SELECT s.project, s.name, s.experiment_id, s.comparison_key_hash, min(c.input) AS input, avg(s.score) AS mean
    FROM scores s JOIN cases c ON s.experiment_id = c.experiment_id AND s.id = c.id
    WHERE s.comparison_key_hash IS NOT NULL AND s.score IS NOT NULL AND ($project IS NULL OR s.project = $project) AND ($score IS NULL OR s.name = $score)
    GROUP BY s.project, s.name, s.experiment_id, s.comparison_key_hash
)
GROUP BY project, name, comparison_key_hash
ORDER BY failing DESC, mean, project, name, input
LIMIT $limit
