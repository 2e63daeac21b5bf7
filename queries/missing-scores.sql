-- Where is a score missing, and so in no mean?
-- param project text = null: only this project
-- column project: project
-- column experiment: experiment
-- column name: score
-- column cases: rows
-- column missing: rows without a value
-- column share_missing: their share
SELECT project, experiment, name, count(*) AS cases, count(*) - count(score) AS missing,
       1 - count(score)::double / count(*) AS share_missing
FROM scores
WHERE ($project IS NULL OR project = $project)
GROUP BY project, experiment, name
HAVING count(score) < count(*)
ORDER BY share_missing DESC, project, experiment, name
