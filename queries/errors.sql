-- Question: which errors happened, and how often?
-- Columns: project, experiment, span type, span name, error, times
SELECT project, experiment, type, name, error, count(*) AS times
FROM spans
WHERE error IS NOT NULL
GROUP BY project, experiment, type, name, error
ORDER BY times DESC, project, experiment, type, name, error
LIMIT 100
