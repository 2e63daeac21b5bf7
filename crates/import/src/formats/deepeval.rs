//! Test runs of DeepEval. See `docs/import/deepeval.md`.

use super::score::{Reading, Score, ScoreIds, hand_on_case};
use super::spans::{add_metric, root, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{ObjectText, Value};
use crate::load::{Stop, hash_file};
use crate::look::{Look, Shape};
use crate::read::JsonStream;
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{checked, json_stream, text_of};
use crate::request::ImportRequest;

/// The format of DeepEval's test runs.
pub(crate) struct DeepEval;

impl ForeignFormat for DeepEval {
    fn name(&self) -> &'static str {
        "deepeval"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the test run; `identifier` or the file names it"),
            ("id", "the file's name; of `.latest_run_full.json` its content, because every run has that name"),
            ("declared_total", "`testPassed` + `testFailed`"),
            ("case", "a test case: `input`; of a conversation its turns"),
            ("output, expected", "`actualOutput`, `expectedOutput`"),
            ("scores", "`metricsData`: `score` under the metric's name; state error where `error` is set"),
            ("metrics", "`completionTime` as `duration`, `tokenCost`, token counts; a judge's on its own span"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_run = look.json(Shape::Object).is_some_and(|fields| {
            // What comes after a long first case is not seen.
            fields.has_all(&["testCases", "conversationalTestCases"])
                || fields.has_any(&["testCases", "conversationalTestCases"])
                    && fields.has_any(&[
                        "metricsScores",
                        "testCases[].metricsData",
                        "testCases[].actualOutput",
                        "conversationalTestCases[].turns",
                    ])
        });
        Claim::main_if(is_run, "a JSON object with `testCases` and `metricsScores`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let experiment = receiver.experiment(&run_of(source)?)?;
        let mut fields = ObjectText::new();
        let walked = walk(&mut json_stream(source)?, experiment, &mut fields, receiver);
        describe(&fields.finish().unwrap_or_default(), experiment, receiver);
        match walked {
            Err(Stop::Fault(fault)) => receiver.cut_off(Some(experiment), fault),
            walked => walked,
        }
    }
}

/// The file of the latest run has one name for all of them: its content tells which run it is.
fn run_of(source: &Source) -> Result<Run, Stop> {
    let stem = source.stem();
    let named = identifier(&mut json_stream(source)?);
    if !stem.starts_with('.') {
        return Ok(Run { name: named.unwrap_or_else(|| stem.clone()), id: stem });
    }
    let unreadable = |error| Fault::file(reason::UNREADABLE, format!("cannot be read: {error}")).at(1, None);
    let id = source.open().and_then(hash_file).map_err(unreadable)?;
    Ok(Run { name: named.unwrap_or_else(|| stem.trim_start_matches('.').to_string()), id })
}

/// What the user called the run. Whatever breaks off the walk is met again, and reported, with the cases.
fn identifier(stream: &mut JsonStream) -> Option<String> {
    stream.enter_object().ok()?;
    while let Some(key) = stream.key().ok()? {
        if key != "identifier" {
            stream.skip().ok()?;
            continue;
        }
        let piece = stream.piece().ok()?;
        let text = text_of(stream.bytes(&piece));
        let name = Value::parse(&text).ok()?.string()?.into_owned();
        return Some(name).filter(|name| !name.trim().is_empty());
    }
    None
}

fn walk(
    stream: &mut JsonStream,
    experiment: usize,
    fields: &mut ObjectText,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let mut ordinal = 0;
    stream.enter_object()?;
    while let Some(key) = stream.key()? {
        if !matches!(key.as_str(), "testCases" | "conversationalTestCases") || !stream.enter_array()? {
            let piece = stream.piece()?;
            let text = text_of(stream.bytes(&piece));
            fields.put(&key, Some(checked(&text, piece.line, true)?));
            continue;
        }
        while stream.element()? {
            let piece = stream.piece()?;
            let text = text_of(stream.bytes(&piece));
            ordinal += 1;
            match checked(&text, piece.line, true) {
                Ok(test) => case(test, ordinal, piece.line, experiment, receiver)?,
                Err(fault) => receiver.fault(fault)?,
            }
        }
    }
    Ok(())
}

fn describe(fields: &str, experiment: usize, receiver: &mut dyn Receiver) {
    let Ok(run) = Value::parse(fields) else { return };
    let mut metadata = ObjectText::new();
    let hyperparameters = run.get("hyperparameters");
    metadata.put("model", hyperparameters.and_then(|parameters| parameters.get("model")));
    // The tool's own figures, to hold against those of the stored cases.
    metadata.put("reported", run.get("metricsScores"));
    metadata.put_all(Some(run), &["metricsScores", "model"]);
    let count = |name: &str| run.get(name).and_then(|count| count.integer());
    let record = receiver.record(experiment);
    record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
    record.declared_total = count("testPassed").zip(count("testFailed")).map(|(passed, failed)| passed + failed);
    record.dataset = text_at(run, "datasetAlias").or_else(|| text_at(run, "datasetId"));
    record.dataset_version = text_at(run, "datasetVersion");
}

fn case(test: Value<'_>, ordinal: u64, line: u64, experiment: usize, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let mut case = root(format!("case-{ordinal:08}"));
    case.line = line;
    case.input = test.get("input").or_else(|| test.get("turns")).and_then(|input| input.json());
    case.output = test.get("actualOutput").and_then(|output| output.json());
    case.expected = test.get("expectedOutput").or_else(|| test.get("expectedOutcome")).and_then(|value| value.json());
    let tags = test.get("tags");
    case.tags = tags.map(|tags| tags.items().filter_map(|tag| Some(tag.string()?.into_owned())).collect());
    for (theirs, ours) in [
        ("tokenCost", "estimated_cost"),
        ("inputTokenCount", "prompt_tokens"),
        ("outputTokenCount", "completion_tokens"),
    ] {
        add_metric(&mut case, ours, test.get(theirs).and_then(|value| value.number()));
    }
    let duration = test.get("completionTime").or_else(|| test.get("runDuration"));
    add_metric(&mut case, "duration", duration.and_then(|duration| duration.number()));
    let mut metadata = ObjectText::new();
    metadata.put_all(test.get("metadata").or_else(|| test.get("additionalMetadata")), &["deepeval"]);
    let mut known = ObjectText::new();
    for name in
        ["name", "success", "flaky", "order", "context", "retrievalContext", "toolsCalled", "expectedTools", "comments"]
    {
        known.put(name, test.get(name));
    }
    metadata.put_json("deepeval", known.finish().as_deref());
    case.metadata = metadata.finish();
    let mut ids = ScoreIds::default();
    for metric in test.get("metricsData").iter().flat_map(Value::items) {
        let Some(name) = text_at(metric, "name") else { continue };
        let mut metadata = ObjectText::new();
        for field in ["threshold", "success", "strictMode", "evaluationModel", "flaky"] {
            metadata.put(field, metric.get(field));
        }
        let score = Score {
            explanation: text_at(metric, "reason"),
            metadata: metadata.finish(),
            ..Score::new(name, Reading::of(metric.get("score")))
        };
        let score = score.with_error(metric.get("error").and_then(|error| error.json()));
        let mut span = score.span(ids.next(&case, &score.name), &case);
        for (theirs, ours) in [
            ("evaluationCost", "estimated_cost"),
            ("inputTokenCount", "prompt_tokens"),
            ("outputTokenCount", "completion_tokens"),
        ] {
            add_metric(&mut span, ours, metric.get(theirs).and_then(|value| value.number()));
        }
        if let Some(note) = score.reading.note {
            receiver.note(experiment, note, 1);
        }
        receiver.span(experiment, span)?;
    }
    hand_on_case(receiver, experiment, case, &[])
}
