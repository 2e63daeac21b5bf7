//! Output files of promptfoo: JSON of versions 1 to 3 and later, JSON lines, and CSV.
//!
//! One column of an eval, a provider with a prompt, is one experiment. See `docs/import/promptfoo.md`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use evalhouse_model::Span;
use evalhouse_model::canonical::canonical_json;
use xxhash_rust::xxh3::xxh3_128;

use super::score::{Reading, Score};
use super::spans::{add_metric, child, micros, root, set_kind};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{Kind, ObjectText, Value, quoted};
use crate::load::Stop;
use crate::look::{Look, Shape};
use crate::read::JsonStream;
use crate::reason;
use crate::receive::{Deaf, Receiver, Run};
use crate::records::{Record, checked, each_record, json_stream, note_rewrites, text_of};
use crate::request::ImportRequest;

/// The newest version of the output that this reader was written for.
const VERSION: i64 = 4;

/// Characters of a prompt's label in the name of an experiment.
const LABEL_CHARS: usize = 60;

/// The format of promptfoo's output files.
pub(crate) struct Promptfoo;

impl ForeignFormat for Promptfoo {
    fn name(&self) -> &'static str {
        "promptfoo"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "a column: `evalId` and `promptIdx`; named after provider and prompt"),
            ("declared_total", "the column's pass, fail and error counts"),
            ("case", "a test: `vars`; with `description` and `assert` where tests share their vars"),
            ("trial", "tests of one column that are alike, in the order of `testIdx`"),
            ("output", "`response.output`"),
            ("expected", "`testCase.assert`"),
            ("scores", "`success` as `pass`, `score`, `namedScores`; null with state `error` where the row failed"),
            ("metrics", "`tokenUsage`, `cost`; `latencyMs` as `duration` unless the response was cached"),
            ("spans", "the model call; one for each entry of `gradingResult.componentResults`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        if let Some(fields) = look.json(Shape::Object) {
            let is_nested = fields.has_any(&["results.results", "results.prompts"])
                && fields.has_any(&["results.version", "results.stats", "results.table"]);
            let is_flat = fields.has_all(&["version", "results[].vars", "results[].success"]);
            if is_nested || is_flat {
                return Claim::Main("a JSON object with `results` of rows with `vars` and `success`".into());
            }
        }
        let is_table = look.columns().is_some_and(|columns| columns.windows(2).any(|two| is_output(&two[0], &two[1])));
        if is_table {
            return Claim::Main("a table with columns `[PROVIDER] PROMPT`, each followed by `Status`".into());
        }
        let is_row = look.rows().is_some_and(|f| f.has_all(&["promptIdx", "testIdx", "vars", "success"]));
        Claim::main_if(is_row, "rows with `promptIdx`, `testIdx` and `vars`")
    }

    fn run_id(&self, look: &Look, _source: &Source) -> Option<String> {
        look.json(Shape::Object)?.value("evalId").map(str::to_string)
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let is_document = Look::at(source)?.json(Shape::Object).is_some_and(|fields| !fields.has("promptIdx"));
        let mut eval = Eval { stem: source.stem(), ..Eval::default() };
        // A first walk finds what the file says of the whole eval, and which tests share their vars.
        let walked = walk(source, is_document, &mut Deaf::default(), &mut |_, part| {
            match part {
                Part::Field(name, value) => eval.set(name, value),
                Part::Row(row, ..) => eval.tests.add(row),
            }
            Ok(())
        });
        // The second walk meets, and reports, whatever ended the first.
        if let Err(stop) = walked
            && !matches!(stop, Stop::Fault(_))
        {
            return Err(stop);
        }
        let mut columns = Columns { eval: &eval, experiments: HashMap::new(), ordinal: 0 };
        let walked = walk(source, is_document, receiver, &mut |receiver, part| match part {
            Part::Field(..) => Ok(()),
            Part::Row(row, line, is_replaced) => columns.add(row, line, is_replaced, receiver),
        });
        match walked {
            // Any column may have lost its last rows.
            Err(Stop::Fault(fault)) => receiver.cut_off(None, fault),
            walked => walked,
        }
    }
}

/// What a walk through an output file meets.
enum Part<'p> {
    /// Something said of the whole eval.
    Field(&'p str, Value<'p>),
    /// A row, its line, and whether bytes of it were replaced.
    Row(Value<'p>, u64, bool),
}

type Visit<'v> = dyn FnMut(&mut dyn Receiver, Part<'_>) -> Result<(), Stop> + 'v;

fn walk(source: &Source, is_document: bool, receiver: &mut dyn Receiver, visit: &mut Visit<'_>) -> Result<(), Stop> {
    if !is_document {
        let mut test = 0;
        return each_record(source, receiver, None, &mut |receiver, record| {
            if record.is_text {
                for row in rows_of_cells(&record, test) {
                    let row = checked(&row, record.line, true)?;
                    visit(receiver, Part::Row(row, record.line, record.is_replaced))?;
                }
                test += 1;
                return Ok(());
            }
            visit(receiver, Part::Row(record.value, record.line, record.is_replaced))
        });
    }
    let mut stream = json_stream(source)?;
    stream.enter_object()?;
    while let Some(key) = stream.key()? {
        if key == "results" && stream.enter_object()? {
            while let Some(key) = stream.key()? {
                part(&mut stream, &key, receiver, visit)?;
            }
        } else {
            part(&mut stream, &key, receiver, visit)?;
        }
    }
    Ok(())
}

fn part(stream: &mut JsonStream, key: &str, receiver: &mut dyn Receiver, visit: &mut Visit<'_>) -> Result<(), Stop> {
    if key == "results" && stream.enter_array()? {
        while stream.element()? {
            let piece = stream.piece()?;
            let text = text_of(stream.bytes(&piece));
            let is_replaced = matches!(text, std::borrow::Cow::Owned(_));
            match checked(&text, piece.line, true) {
                Ok(row) if row.kind == Kind::Object => visit(receiver, Part::Row(row, piece.line, is_replaced))?,
                Ok(_) => {
                    let message = "a row of `results` is no object";
                    receiver.fault(Fault::row(reason::NOT_AN_OBJECT, message).at(piece.line, None))?;
                }
                Err(fault) => receiver.fault(fault)?,
            }
        }
        return Ok(());
    }
    if !FIELDS.contains(&key) {
        return Ok(stream.skip()?);
    }
    let piece = stream.piece()?;
    let text = text_of(stream.bytes(&piece));
    visit(receiver, Part::Field(key, checked(&text, piece.line, true)?))
}

/// Whether a column of a table holds outputs of a provider, by its name and that of the next one.
fn is_output(name: &str, next: &str) -> bool {
    name.starts_with('[') && name.contains(']') && next == "Status"
}

/// The rows of JSON that a line of a table stands for, one for each column of outputs. Names of cells
/// repeat, so that their places tell what they are of.
fn rows_of_cells(record: &Record<'_>, test: u64) -> Vec<String> {
    let cells: Vec<(Cow<'_, str>, Value<'_>)> = record.value.fields().collect();
    let is_start = |at: &usize| cells.get(at + 1).is_some_and(|(next, _)| is_output(&cells[*at].0, next));
    let starts: Vec<usize> = (0..cells.len()).filter(is_start).collect();
    let vars = cells.get(..starts.first().copied().unwrap_or_default()).unwrap_or_default();
    let ends = starts.iter().skip(1).copied().chain([cells.len()]);
    let columns = starts.iter().zip(ends).filter_map(|(start, end)| cells.get(*start..end));
    columns.enumerate().map(|(index, cells)| row_of_cells(index, test, vars, cells)).collect()
}

fn row_of_cells(
    index: usize,
    test: u64,
    vars: &[(Cow<'_, str>, Value<'_>)],
    cells: &[(Cow<'_, str>, Value<'_>)],
) -> String {
    let text = |name: &str| cells.iter().find(|(known, _)| known == name).and_then(|(_, cell)| cell.string());
    let (provider, label) =
        cells.first().and_then(|(name, _)| name.strip_prefix('[')?.split_once(']')).unwrap_or_default();
    let status = text("Status").unwrap_or_default();
    let reason = text("Grader Reason").filter(|reason| !reason.is_empty());
    let score = text("Score").filter(|score| Value::parse(score).is_ok_and(|score| score.kind == Kind::Number));
    // The scores as one object, else each in a column.
    let named = text("Named Scores").filter(|named| Value::parse(named).is_ok_and(|named| named.kind == Kind::Object));
    let metrics = || {
        let mut metrics = ObjectText::new();
        for (name, cell) in cells.iter().filter(|(_, cell)| cell.text != "\"\"") {
            metrics
                .put(name.strip_prefix("Metric: ").unwrap_or_default(), name.starts_with("Metric: ").then_some(*cell));
        }
        metrics.finish()
    };
    let object = |fields: &[(&str, Option<String>)]| {
        let mut object = ObjectText::new();
        fields.iter().for_each(|(name, json)| object.put_json(name, json.as_deref()));
        object.finish()
    };
    let mut variables = ObjectText::new();
    let described = vars.first().filter(|(name, _)| name == "Description").map(|(_, cell)| *cell);
    for (name, cell) in vars.iter().skip(usize::from(described.is_some())) {
        variables.put(name, Some(*cell));
    }
    let is_error = status == "ERROR";
    let reason = reason.map(|reason| quoted(&reason));
    let row = object(&[
        ("promptIdx", Some(index.to_string())),
        ("testIdx", Some(test.to_string())),
        ("vars", variables.finish()),
        ("provider", object(&[("id", Some(quoted(provider)))])),
        ("prompt", object(&[("label", Some(quoted(label.trim())))])),
        ("response", object(&[("output", cells.first().and_then(|(_, cell)| cell.json()))])),
        ("success", (!status.is_empty()).then(|| (status == "PASS").to_string())),
        ("score", score.map(Cow::into_owned)),
        ("failureReason", Some(if is_error { "2" } else { "0" }.into())),
        ("error", reason.clone().filter(|_| is_error)),
        ("namedScores", named.map(Cow::into_owned).or_else(metrics)),
        (
            "gradingResult",
            object(&[("reason", reason), ("comment", text("Comment").filter(|c| !c.is_empty()).map(|c| quoted(&c)))]),
        ),
        ("testCase", described.and_then(|cell| object(&[("description", cell.json())]))),
    ]);
    row.unwrap_or_default()
}

/// The fields of an output file that say something of the whole eval.
const FIELDS: [&str; 8] =
    ["evalId", "version", "timestamp", "prompts", "stats", "config", "metadata", "runtimeOptions"];

/// What a file says of the whole eval.
#[derive(Default)]
struct Eval {
    stem: String,
    /// Field to JSON text.
    fields: HashMap<String, String>,
    tests: Tests,
}

impl Eval {
    fn set(&mut self, name: &str, value: Value<'_>) {
        let json = if name == "config" { config(value) } else { value.json() };
        if let Some(json) = json {
            self.fields.insert(name.to_string(), json);
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Value::parse(self.fields.get(name)?).ok()
    }

    fn id(&self) -> String {
        let id = self.get("evalId").and_then(|id| id.string());
        id.map_or_else(|| self.stem.clone(), |id| id.into_owned())
    }
}

/// A configuration without its tests, which are the cases, and without its keys.
fn config(config: Value<'_>) -> Option<String> {
    let mut text = ObjectText::new();
    text.put_all(Some(config), &["tests", "scenarios", "defaultTest", "env", "evaluateOptions"]);
    text.finish()
}

/// Which tests there are: two tests may have the same variables and differ in what is asserted.
#[derive(Default)]
struct Tests {
    /// Hash of the variables to the hash of the first test with them.
    by_vars: HashMap<u128, u128>,
    ambiguous: HashSet<u128>,
    /// Hash of column and test to the ordinal of the last row of both.
    last: HashMap<u128, u64>,
    rows: u64,
}

impl Tests {
    fn add(&mut self, row: Value<'_>) {
        let (vars, test) = (hash_of(row.get("vars")), hash_of_test(row));
        if *self.by_vars.entry(vars).or_insert(test) != test {
            self.ambiguous.insert(vars);
        }
        self.rows += 1;
        if let Some(place) = place_of(row) {
            self.last.insert(place, self.rows);
        }
    }

    /// Whether a later row of the same column and test takes the place of one.
    fn is_replaced(&self, row: Value<'_>, ordinal: u64) -> bool {
        place_of(row).and_then(|place| self.last.get(&place)).is_some_and(|last| *last > ordinal)
    }

    fn are_ambiguous(&self, row: Value<'_>) -> bool {
        self.ambiguous.contains(&hash_of(row.get("vars")))
    }
}

/// Column and test of a row, hashed.
fn place_of(row: Value<'_>) -> Option<u128> {
    let test = row.get("testIdx")?.integer()?;
    Some(xxh3_128(format!("{}\0{test}", Column::of(row).key()).as_bytes()))
}

fn hash_of(value: Option<Value<'_>>) -> u128 {
    let json = value.and_then(|value| value.json()).unwrap_or_default();
    xxh3_128(canonical_json(&json).unwrap_or(json).as_bytes())
}

fn hash_of_test(row: Value<'_>) -> u128 {
    let test = row.get("testCase");
    let part = |name: &str| hash_of(test.and_then(|test| test.get(name)));
    xxh3_128(format!("{} {}", part("description"), part("assert")).as_bytes())
}

/// The experiments of an eval.
struct Columns<'e> {
    eval: &'e Eval,
    /// Column to experiment.
    experiments: HashMap<String, usize>,
    ordinal: u64,
}

/// A column: a provider with a prompt.
struct Column {
    index: Option<i64>,
    provider: String,
    label: String,
}

impl Column {
    fn of(row: Value<'_>) -> Self {
        let prompt = row.get("prompt");
        let label = ["label", "display", "raw"].iter().find_map(|name| prompt?.get(name)?.string());
        Self {
            index: row.get("promptIdx").and_then(|index| index.integer()),
            provider: provider_of(row.get("provider")),
            label: label.unwrap_or_default().into_owned(),
        }
    }

    /// What tells it from the others. Files from before there were column numbers tell a column by
    /// provider and prompt.
    fn key(&self) -> String {
        self.index.map_or_else(|| format!("{}\0{}", self.provider, self.label), |index| index.to_string())
    }
}

impl Columns<'_> {
    fn add(&mut self, row: Value<'_>, line: u64, is_replaced: bool, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let experiment = self.experiment(row, receiver)?;
        self.ordinal += 1;
        if self.eval.tests.is_replaced(row, self.ordinal) {
            receiver.note(experiment, reason::REPEATED_RECORD, 1);
            return Ok(());
        }
        note_rewrites(receiver, experiment, &row, is_replaced);
        let test = row.get("testIdx").and_then(|index| index.integer()).map(|index| index.to_string());
        // Rows of one case are trials in the order of their ids.
        let id = format!("{:0>8}", test.unwrap_or_else(|| self.ordinal.to_string()));
        self.case(row, id, line, experiment, receiver)
    }

    /// The experiment of a row's column.
    fn experiment(&mut self, row: Value<'_>, receiver: &mut dyn Receiver) -> Result<usize, Stop> {
        let column = Column::of(row);
        let key = column.key();
        if let Some(&known) = self.experiments.get(&key) {
            return Ok(known);
        }
        let Column { index, provider, label } = column;
        let short: String = label.chars().take(LABEL_CHARS).collect();
        let short = short.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts: Vec<&str> = [provider.as_str(), &short].into_iter().filter(|part| !part.is_empty()).collect();
        let name = if parts.is_empty() { self.eval.stem.clone() } else { parts.join(" · ") };
        let experiment = receiver.experiment(&Run { id: format!("{}\0{key}", self.eval.id()), name })?;
        self.describe(index, &provider, &label, receiver, experiment);
        self.experiments.insert(key, experiment);
        Ok(experiment)
    }

    fn describe(
        &self,
        index: Option<i64>,
        provider: &str,
        label: &str,
        receiver: &mut dyn Receiver,
        experiment: usize,
    ) {
        let eval = self.eval;
        let version = eval.get("version").and_then(|version| version.integer());
        if version.is_some_and(|version| version > VERSION) {
            receiver.note(experiment, reason::NEWER_VERSION, 1);
        }
        let prompts = eval.get("prompts");
        let column = index.and_then(|index| prompts?.items().nth(usize::try_from(index).ok()?));
        let metrics = column.and_then(|column| column.get("metrics"));
        let config = eval.get("config");
        let mut metadata = ObjectText::new();
        metadata.put_text("model", Some(provider).filter(|provider| !provider.is_empty()));
        metadata.put_text("prompt", Some(label));
        metadata.put_json("prompt_index", index.map(|index| index.to_string()).as_deref());
        metadata.put("eval_id", eval.get("evalId"));
        metadata.put("format_version", eval.get("version"));
        metadata.put("metadata", eval.get("metadata"));
        metadata.put("runtime_options", eval.get("runtimeOptions"));
        metadata.put("config", config);
        // The tool's own figures, to hold against those of the stored cases.
        metadata.put("reported", metrics.or_else(|| eval.get("stats")));
        let record = receiver.record(experiment);
        record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
        record.created = micros(eval.get("timestamp"))
            .or_else(|| micros(eval.get("metadata").and_then(|metadata| metadata.get("evaluationCreatedAt"))));
        let count = |name: &str| metrics?.get(name)?.integer();
        let counts = ["testPassCount", "testFailCount", "testErrorCount"].map(count);
        record.declared_total = counts[0].map(|_| counts.into_iter().flatten().sum());
        record.dataset = config.and_then(|config| config.get("description")?.string().map(|text| text.into_owned()));
    }

    fn case(
        &self,
        row: Value<'_>,
        id: String,
        line: u64,
        experiment: usize,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Stop> {
        let test = row.get("testCase");
        let response = row.get("response");
        let mut case = root(id);
        case.line = line;
        case.created = receiver.record(experiment).created;
        case.input = self.input(row);
        case.output = response.and_then(|response| response.get("output")?.json());
        case.expected = test.and_then(|test| test.get("assert")).filter(|a| !a.is_empty()).and_then(|a| a.json());
        let failed = has_failed(row);
        case.error = failed.then(|| row.get("error").or_else(|| response?.get("error"))?.json()).flatten();
        if failed && case.error.is_none() {
            case.error = Some("\"error\"".into());
        }
        case.metadata = metadata(row);
        let is_cached = response.and_then(|response| response.get("cached")?.boolean()) == Some(true);
        let latency = row.get("latencyMs").and_then(|latency| latency.number());
        add_metric(&mut case, "duration", latency.filter(|_| !is_cached).map(|latency| latency / 1e3));

        for score in scores(row, failed) {
            score.hand_on(receiver, experiment, &case)?;
        }
        for (at, component) in row.at(&["gradingResult", "componentResults"]).iter().flat_map(Value::items).enumerate()
        {
            if component.kind == Kind::Object {
                receiver.span(experiment, component_span(&case, at, component))?;
            }
        }
        if let Some(span) = graders_span(&case, row) {
            receiver.span(experiment, span)?;
        }
        receiver.span(experiment, call_span(&case, row))?;
        receiver.span(experiment, case)
    }

    /// The variables; with what else makes the test, where other tests have the same ones.
    fn input(&self, row: Value<'_>) -> Option<String> {
        let vars = row.get("vars").and_then(|vars| vars.json()).unwrap_or_else(|| "{}".into());
        if !self.eval.tests.are_ambiguous(row) {
            return Some(vars);
        }
        let test = row.get("testCase");
        let mut input = ObjectText::new();
        input.put_json("vars", Some(&vars));
        for name in ["description", "assert"] {
            input.put(name, test.and_then(|test| test.get(name)));
        }
        input.finish()
    }
}

fn provider_of(provider: Option<Value<'_>>) -> String {
    let named = |name: &str| provider?.get(name)?.string().filter(|text| !text.is_empty());
    let text = named("label").or_else(|| named("id")).or_else(|| provider?.string());
    text.unwrap_or_default().into_owned()
}

/// Whether the row could not be scored. A failed assertion sets `error` too, and is no such thing.
fn has_failed(row: Value<'_>) -> bool {
    match row.get("failureReason").and_then(|reason| reason.integer()) {
        Some(reason) => reason == 2,
        None => {
            let error = row.get("error").or_else(|| row.at(&["response", "error"]));
            error.is_some_and(|error| error.text != "\"\"") && row.get("gradingResult").is_none()
        }
    }
}

fn scores(row: Value<'_>, failed: bool) -> Vec<Score> {
    let grading = row.get("gradingResult");
    let reading = |value: Option<Value<'_>>| if failed { Reading::failed() } else { Reading::of(value) };
    let explanation = grading.and_then(|grading| grading.get("reason")?.string().map(|text| text.into_owned()));
    let error = failed.then(|| row.get("error")?.json()).flatten();
    let mut scores = Vec::new();
    for (name, theirs) in [("pass", "success"), ("score", "score")] {
        let value = row.get(theirs).or_else(|| grading?.get(if theirs == "success" { "pass" } else { theirs }));
        if value.is_some() {
            let scorer = Some("promptfoo".to_string());
            let explanation = explanation.clone();
            scores.push(Score { scorer, explanation, error: error.clone(), ..Score::new(name, reading(value)) });
        }
    }
    let named = row.get("namedScores").or_else(|| grading?.get("namedScores"));
    for (name, value) in named.iter().flat_map(Value::fields) {
        let name = if matches!(&*name, "pass" | "score") { format!("metric.{name}") } else { name.into_owned() };
        scores.push(Score { error: error.clone(), ..Score::new(name, reading(Some(value))) });
    }
    scores
}

fn metadata(row: Value<'_>) -> Option<String> {
    let mut metadata = ObjectText::new();
    for (name, value) in row.get("metadata").iter().flat_map(Value::fields) {
        if !name.starts_with("_promptfoo") && name != "promptfoo" {
            metadata.put(&name, Some(value));
        }
    }
    let mut own = ObjectText::new();
    for name in ["id", "testIdx", "promptIdx", "promptId", "failureReason", "latencyMs"] {
        own.put(name, row.get(name));
    }
    own.put("cached", row.at(&["response", "cached"]));
    own.put("description", row.at(&["testCase", "description"]));
    own.put("threshold", row.at(&["testCase", "threshold"]));
    own.put("comment", row.at(&["gradingResult", "comment"]));
    metadata.put_json("promptfoo", own.finish().as_deref());
    metadata.finish()
}

/// One assertion. Its figure is a part of the row's scores, so it carries none of its own.
fn component_span(case: &Span, at: usize, component: Value<'_>) -> Span {
    let assertion = component.get("assertion");
    let name = assertion.and_then(|a| a.get("metric").or_else(|| a.get("type"))?.string());
    let mut span = child(format!("{}/assert/{at}", case.id), case);
    set_kind(&mut span, name.as_deref().unwrap_or("assertion"), "score", true);
    span.input = assertion.and_then(|assertion| assertion.json());
    let mut output = ObjectText::new();
    for name in ["pass", "score", "reason", "comment"] {
        output.put(name, component.get(name));
    }
    span.output = output.finish();
    add_usage(&mut span, component.get("tokensUsed"));
    span
}

/// What all graders of a row used together, where no assertion says what its own used.
fn graders_span(case: &Span, row: Value<'_>) -> Option<Span> {
    let has_tokens = |usage: &Value<'_>| usage.get("total").and_then(|total| total.number()).is_some_and(|n| n > 0.0);
    let components = row.at(&["gradingResult", "componentResults"]);
    let is_told = components.iter().flat_map(Value::items).any(|c| c.get("tokensUsed").is_some_and(|u| has_tokens(&u)));
    let sums = [row.at(&["tokenUsage", "assertions"]), row.at(&["gradingResult", "tokensUsed"])];
    let usage = sums.into_iter().flatten().find(|usage| !is_told && has_tokens(usage))?;
    let mut span = child(format!("{}/graders", case.id), case);
    set_kind(&mut span, "graders", "llm", true);
    add_usage(&mut span, Some(usage));
    Some(span)
}

/// The call of the provider.
fn call_span(case: &Span, row: Value<'_>) -> Span {
    let response = row.get("response");
    let provider = provider_of(row.get("provider"));
    let mut span = child(format!("{}/call", case.id), case);
    set_kind(&mut span, if provider.is_empty() { "provider" } else { &provider }, "llm", false);
    span.input = row.get("prompt").and_then(|prompt| prompt.get("raw").unwrap_or(prompt).json());
    span.output = response.and_then(|response| response.get("output")?.json());
    span.error = case.error.clone();
    let mut metadata = ObjectText::new();
    metadata.put_text("model", Some(&provider).filter(|text| !text.is_empty()).map(String::as_str));
    for name in ["cached", "isRefusal", "finishReason", "raw", "metadata"] {
        metadata.put(name, response.and_then(|response| response.get(name)));
    }
    span.metadata = metadata.finish();
    let usage = row.get("tokenUsage").filter(|usage| !usage.is_empty());
    add_usage(&mut span, usage.or_else(|| response?.get("tokenUsage")));
    let cost = row.get("cost").or_else(|| response?.get("cost"));
    add_metric(&mut span, "estimated_cost", cost.and_then(|cost| cost.number()));
    span
}

fn add_usage(span: &mut Span, usage: Option<Value<'_>>) {
    let names = [
        ("prompt", "prompt_tokens"),
        ("completion", "completion_tokens"),
        ("total", "tokens"),
        ("cached", "cached_tokens"),
    ];
    for (theirs, ours) in names {
        add_metric(span, ours, usage.and_then(|usage| usage.get(theirs)?.number()));
    }
    let reasoning = usage.and_then(|usage| usage.at(&["completionDetails", "reasoning"])?.number());
    add_metric(span, "completion_reasoning_tokens", reasoning);
}
