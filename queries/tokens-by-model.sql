-- How many tokens does each model take?
-- param project text = null: only this project
-- column model: model as the calls name it
-- column calls: calls
-- column prompt_tokens: prompt tokens in all
-- column completion_tokens: completion tokens in all
-- column mean_s: seconds a call
SELECT metadata.model AS model, count(*) AS calls, sum(metrics.prompt_tokens) AS prompt_tokens,
       sum(metrics.completion_tokens) AS completion_tokens, avg("end" - start) AS mean_s
FROM spans
WHERE type = 'llm' AND ($project IS NULL OR project = $project)
GROUP BY 1
ORDER BY calls DESC, model
