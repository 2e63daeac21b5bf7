-- Question: which cases give another score from trial to trial?
-- Columns: project, experiment, score name, input of the case, trials, lowest, highest, spread
SELECT s.project, s.experiment, s.name, min(c.input) AS input, count(s.score) AS trials,
       min(s.score) AS lowest, max(s.score) AS highest, max(s.score) - min(s.score) AS spread
FROM scores s JOIN cases c ON s.experiment_id = c.experiment_id AND s.id = c.id
WHERE s.comparison_key_hash IS NOT NULL
GROUP BY s.project, s.experiment, s.name, s.comparison_key_hash
HAVING max(s.score) > min(s.score)
ORDER BY spread DESC, s.experiment, s.name, input
LIMIT 100
