-- Which inputs give another score from trial to trial?
-- param project text = null: only this project
-- param score text = null: only this score
-- param limit integer = 100: rows to show
-- column project: project
-- column experiment: experiment
-- column name: score
-- column input: input of the case
-- column trials: trials with the score
-- column lowest: smallest value
-- column highest: largest value
-- column spread: highest − lowest
SELECT s.project, s.experiment, s.name, min(c.input) AS input, count(s.score) AS trials,
       min(s.score) AS lowest, max(s.score) AS highest, max(s.score) - min(s.score) AS spread
FROM scores s JOIN cases c ON s.experiment_id = c.experiment_id AND s.id = c.id
WHERE s.comparison_key_hash IS NOT NULL AND ($project IS NULL OR s.project = $project) AND ($score IS NULL OR s.name = $score)
GROUP BY s.project, s.experiment, s.name, s.comparison_key_hash
HAVING max(s.score) > min(s.score)
ORDER BY spread DESC, s.experiment, s.name, input
LIMIT $limit
