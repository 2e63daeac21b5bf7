-- Question: which cases fail in most experiments?
-- Columns: project, score name, input of the case, experiments that ran it, experiments in which its mean is below 0.5, mean over experiments
SELECT project, name, min(input) AS input, count(*) AS experiments,
       sum(CASE WHEN mean < 0.5 THEN 1 ELSE 0 END) AS failing, avg(mean) AS mean
FROM (
    SELECT s.project, s.name, s.experiment_id, s.comparison_key_hash, min(c.input) AS input, avg(s.score) AS mean
    FROM scores s JOIN cases c ON s.experiment_id = c.experiment_id AND s.id = c.id
    WHERE s.comparison_key_hash IS NOT NULL AND s.score IS NOT NULL
    GROUP BY s.project, s.name, s.experiment_id, s.comparison_key_hash
)
GROUP BY project, name, comparison_key_hash
ORDER BY failing DESC, mean, project, name, input
LIMIT 100
