-- Question: where does the time go?
-- Columns: project, experiment, span type, span name, spans, total seconds, mean seconds
SELECT project, experiment, type, name, count(*) AS spans, sum("end" - start) AS total_s, avg("end" - start) AS mean_s
FROM spans
WHERE "end" IS NOT NULL AND NOT is_root
GROUP BY project, experiment, type, name
ORDER BY total_s DESC, project, experiment, type, name
LIMIT 100
