-- What does a point of score cost in each experiment?
-- param score text required: the score
-- param project text = null: only this project
-- column project: project
-- column experiment: experiment
-- column rows: rows
-- column mean: mean of the score
-- column cost: mean cost of a row in dollars
-- column cost_per_point: cost of a row per unit of score
SELECT s.project AS project, s.experiment AS experiment, count(*) AS rows, avg(s.score) AS mean, avg(c.metrics.estimated_cost) AS cost,
       avg(c.metrics.estimated_cost) / nullif(avg(s.score), 0) AS cost_per_point
FROM scores s JOIN cases c USING (experiment_id, id)
WHERE s.name = $score AND ($project IS NULL OR s.project = $project)
GROUP BY s.project, s.experiment
ORDER BY cost_per_point, s.project, s.experiment
