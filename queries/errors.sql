-- Which errors happened, and how often?
-- param project text = null: only this project
-- param limit integer = 100: rows to show
-- column project: project
-- column experiment: experiment
-- column type: span type
-- column name: span name
-- column error: the error
-- column times: how often
SELECT project, experiment, type, name, error, count(*) AS times
FROM spans
WHERE error IS NOT NULL AND ($project IS NULL OR project = $project)
GROUP BY project, experiment, type, name, error
ORDER BY times DESC, project, experiment, type, name, error
LIMIT $limit
