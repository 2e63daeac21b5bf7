-- Where does the time go?
-- param project text = null: only this project
-- param limit integer = 100: rows to show
-- column project: project
-- column experiment: experiment
-- column type: span type
-- column name: span name
-- column spans: spans
-- column total_s: seconds in all
-- column mean_s: seconds on average
SELECT project, experiment, type, name, count(*) AS spans, sum("end" - start) AS total_s, avg("end" - start) AS mean_s
FROM spans
WHERE "end" IS NOT NULL AND NOT is_root AND ($project IS NULL OR project = $project)
GROUP BY project, experiment, type, name
ORDER BY total_s DESC, project, experiment, type, name
LIMIT $limit
