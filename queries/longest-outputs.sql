-- Which outputs are the longest?
-- param experiment text required: the experiment
-- param limit integer = 20: rows to show
-- column id: row id
-- column characters: length of the output
-- column output: the output
SELECT id, length(output) AS characters, output
FROM experiment($experiment)
WHERE output IS NOT NULL
ORDER BY characters DESC, id
LIMIT $limit
