-- Which cases take the longest?
-- param experiment text required: the experiment
-- param limit integer = 20: rows to show
-- column id: row id
-- column duration: seconds
-- column tokens: tokens
-- column input: input of the case
SELECT id, metrics.duration AS duration, metrics.tokens AS tokens, input
FROM experiment($experiment)
ORDER BY duration DESC NULLS LAST, id
LIMIT $limit
