-- Which cases regressed from one experiment to another?
-- param base text required: the baseline
-- param candidate text required: the experiment to judge
-- param score text = null: only this score
-- param limit integer = 50: rows to show
-- column name: score
-- column id: row id in the candidate
-- column base: value in the baseline
-- column candidate: value in the candidate
-- column delta: candidate − base
-- column input: input of the case
SELECT name, id, base, candidate, delta, input
FROM diff($base, $candidate)
WHERE class = 'regressed' AND ($score IS NULL OR name = $score)
ORDER BY delta, name, id
LIMIT $limit
