-- How does a score differ by a metadata field?
-- param experiment text required: the experiment
-- param score text required: the score
-- param field text required: key of the metadata
-- column value: value of the field
-- column rows: rows
-- column mean: mean of the score
-- column ci_low: lower end of its 95 % interval
-- column ci_high: upper end of it
SELECT value, ci['n'] AS rows, ci['mean'] AS mean, ci['ci_low'] AS ci_low, ci['ci_high'] AS ci_high
FROM (
    SELECT json_as_text(c.metadata, $field) AS value, mean_ci(s.score) AS ci
    FROM experiment($experiment) c JOIN scores s ON c.experiment_id = s.experiment_id AND c.id = s.id
    WHERE s.name = $score
    GROUP BY 1
)
ORDER BY mean, value
