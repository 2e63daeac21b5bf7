-- Question: where is a score missing, and so in no mean?
-- Columns: project, experiment, score name, cases, cases without a value, share without a value
SELECT project, experiment, name, count(*) AS cases, count(*) - count(score) AS missing,
       1 - count(score)::double / count(*) AS share_missing
FROM scores
GROUP BY project, experiment, name
HAVING count(score) < count(*)
ORDER BY share_missing DESC, project, experiment, name
