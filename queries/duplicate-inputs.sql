-- Which inputs are in an experiment more than once?
-- param experiment text required: the experiment
-- param limit integer = 100: rows to show
-- column input: the input
-- column rows: rows that have it
SELECT min(input) AS input, count(*) AS rows
FROM experiment($experiment)
WHERE comparison_key_hash IS NOT NULL
GROUP BY comparison_key_hash
HAVING count(*) > 1
ORDER BY rows DESC, input
LIMIT $limit
