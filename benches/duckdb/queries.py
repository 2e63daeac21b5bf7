"""The ten questions, each asked of both engines, and how DuckDB reads the raw files.

A field in brackets is a path: evalhouse writes it bare (`metadata.model`), DuckDB as a quoted
column (`"metadata.model"`). Nothing else differs. `{base}` and `{candidate}` are experiments.
Every query names its rows by text, so that answers can be sorted and held side by side.
"""

QUESTIONS = [
    ("mean per experiment", """
        SELECT experiment, avg([scores.correct]) FROM cases GROUP BY experiment"""),
    ("two means and counts", """
        SELECT experiment, avg([scores.correct]), count([scores.correct]),
               avg([scores.answered]), count([scores.answered]), count(*)
        FROM cases GROUP BY experiment"""),
    ("ten aggregates", """
        SELECT experiment, avg([scores.correct]), sum([scores.correct]), stddev([scores.correct]),
               min([scores.answered]), max([scores.answered]), avg([scores.answered]),
               avg([metrics.output_chars]), min([metrics.output_chars]),
               max([metrics.output_chars]), avg([metrics.reasoning_chars])
        FROM cases GROUP BY experiment"""),
    ("trial consolidation", """
        SELECT experiment, avg(score), count(*) FROM (
            SELECT experiment, comparison_key_hash, avg([scores.correct]) AS score
            FROM cases GROUP BY experiment, comparison_key_hash) AS consolidated
        GROUP BY experiment"""),
    ("diff of two experiments", """
        SELECT 'diff', count(*), avg(v - b),
               sum(CASE WHEN v - b > 1e-9 THEN 1 ELSE 0 END),
               sum(CASE WHEN v - b < -1e-9 THEN 1 ELSE 0 END),
               sum(CASE WHEN abs(v - b) <= 1e-9 THEN 1 ELSE 0 END)
        FROM (SELECT comparison_key_hash AS k, avg([scores.correct]) AS b
              FROM cases WHERE experiment = '{base}' GROUP BY comparison_key_hash) AS base
        JOIN (SELECT comparison_key_hash AS k, avg([scores.correct]) AS v
              FROM cases WHERE experiment = '{candidate}' GROUP BY comparison_key_hash) AS candidate
          ON base.k = candidate.k"""),
    ("group by a field", """
        SELECT experiment, [metadata.question_length], count(*), avg([scores.correct])
        FROM cases GROUP BY experiment, [metadata.question_length]"""),
    ("filter and count", """
        SELECT 'failed long answers', count(*) FROM cases
        WHERE [scores.correct] < 0.5 AND [metadata.question_length] = 'long'
          AND [metrics.output_chars] > 500"""),
    ("median per experiment", """
        SELECT experiment, median([metrics.output_chars]) FROM cases GROUP BY experiment"""),
    ("distinct keys of all history", """
        SELECT 'keys', count(DISTINCT comparison_key_hash) FROM cases"""),
    ("top 20 failing cases", """
        SELECT min([metadata.case_id]) AS case_id,
               count(DISTINCT CASE WHEN [scores.correct] < 0.5 THEN experiment END) AS failing
        FROM cases GROUP BY comparison_key_hash
        HAVING count(DISTINCT CASE WHEN [scores.correct] < 0.5 THEN experiment END) > 0
        ORDER BY failing DESC, case_id LIMIT 20"""),
]

FIELDS = [
    "scores.correct", "scores.answered", "metrics.output_chars", "metrics.reasoning_chars",
    "metadata.question_length", "metadata.case_id",
]


SCHEMA = {
    "id": "VARCHAR", "span_id": "VARCHAR", "root_span_id": "VARCHAR", "is_root": "BOOLEAN",
    "span_parents": "VARCHAR[]", "created": "TIMESTAMP", "input": "JSON", "output": "JSON",
    "expected": "JSON", "error": "JSON", "scores": "JSON", "metadata": "JSON", "metrics": "JSON",
    "tags": "JSON", "span_attributes": "JSON",
}


def read_json(glob, given_schema=False):
    """DuckDB's reading of the raw files: every column, and which file. It finds the schema from
    a sample of the files, which costs more than half of its time, or is told the schema."""
    told = ", columns = {" + ", ".join(f"{name}: '{kind}'" for name, kind in SCHEMA.items()) + "}"
    return (
        f"read_json('{glob}', format = 'newline_delimited', filename = true, maximum_object_size = 67108864"
        + (told if given_schema else ", union_by_name = true")
        + ")"
    )


def written_for(engine, base, candidate):
    """The queries as `[{"name", "sql"}]` for "evalhouse" or "duckdb"."""
    left, right = ("", "") if engine == "evalhouse" else ('"', '"')
    queries = []
    for name, sql in QUESTIONS:
        for field in FIELDS:
            sql = sql.replace(f"[{field}]", left + field + right)
        sql = sql.replace("{base}", base.replace("'", "''")).replace("{candidate}", candidate.replace("'", "''"))
        queries.append({"name": name, "sql": " ".join(sql.split())})
    return queries
