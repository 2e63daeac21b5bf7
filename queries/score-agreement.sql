-- Do two scores say the same of a case?
-- param project text = null: only this project
-- column project: project
-- column experiment: experiment
-- column score: the one score
-- column other_score: the other
-- column cases: rows with both
-- column correlation: Pearson correlation
SELECT a.project, a.experiment, a.name AS score, b.name AS other_score, count(*) AS cases, corr(a.score, b.score) AS correlation
FROM scores a JOIN scores b ON a.experiment_id = b.experiment_id AND a.id = b.id
WHERE ($project IS NULL OR a.project = $project) AND a.name < b.name AND a.score IS NOT NULL AND b.score IS NOT NULL
GROUP BY a.project, a.experiment, a.name, b.name
ORDER BY a.project, a.experiment, score, other_score
