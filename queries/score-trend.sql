-- How did a score develop in a project?
-- param project text required: the project
-- param score text required: the score
-- column created: time of the experiment
-- column experiment: experiment
-- column cases: cases
-- column mean: mean over cases
-- column ci_low: lower end of its 95 % interval
-- column ci_high: upper end of it
-- column change: difference to the experiment before
SELECT created, experiment, cases, mean, ci_low, ci_high, mean - lag(mean) OVER (ORDER BY created, experiment) AS change
FROM history($project, $score)
ORDER BY created, experiment
