//! Results of τ-bench and τ²-bench. See `docs/import/tau-bench.md`.

use evalhouse_model::Span;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, child, micros, root, seconds, set_kind, set_times, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{Kind, ObjectText, Value, quoted};
use crate::load::Stop;
use crate::look::{Look, Shape};
use crate::read::JsonStream;
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{checked, each_record, json_stream, text_of};
use crate::request::ImportRequest;

/// The format of τ-bench and τ²-bench.
pub(crate) struct TauBench;

impl ForeignFormat for TauBench {
    fn name(&self) -> &'static str {
        "tau-bench"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the file of results"),
            ("declared_total", "τ²-bench: tasks × `info.num_trials`"),
            ("case", "a task: `task_id` and, in τ²-bench, `environment_info.domain_name`"),
            ("trial", "`trial`"),
            ("output", "the messages: `traj` or `messages`"),
            ("expected", "the task's actions and outputs, or its `evaluation_criteria`"),
            (
                "scores",
                "`reward`, and `success`: |reward - 1| ≤ 1e-6; state error after a crash or infrastructure error",
            ),
            ("metrics", "`duration`, `agent_cost`, `user_cost`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_first =
            look.json(Shape::Array).is_some_and(|f| f.has_all(&["task_id", "reward", "info", "traj", "trial"]));
        if is_first {
            return Claim::Main("a JSON array of `task_id`, `reward`, `traj` and `trial`".into());
        }
        let is_second = look.json(Shape::Object).is_some_and(|fields| {
            fields.has("info")
                && fields.has_any(&["info.num_trials", "info.environment_info", "info.agent_info"])
                && fields.has_any(&["tasks", "simulations"])
        });
        Claim::main_if(is_second, "a JSON object with `info`, `tasks` and `simulations`")
    }

    fn parts(&self, source: &Source) -> Vec<Source> {
        let Some(index) = simulation_index(source) else { return Vec::new() };
        let index = Value::parse(&index).ok();
        let paths = index.iter().flat_map(Value::items).filter_map(|entry| {
            let path = entry
                .string()
                .or_else(|| ["file", "path", "filename"].iter().find_map(|name| entry.get(name)?.string()));
            path.filter(|path| is_inside(path)).map(|path| path.into_owned())
        });
        paths
            .filter_map(|path| source.sibling(&path).or_else(|| source.sibling(&format!("simulations/{path}"))))
            .collect()
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
        if Look::at(source)?.json(Shape::Array).is_some() {
            return each_record(source, receiver, Some(experiment), &mut |receiver, record| {
                first(record.value, record.line, experiment, receiver)
            });
        }
        let results = Results::read(source)?;
        results.describe(experiment, receiver);
        let walked = results.simulations(source, experiment, receiver);
        if let Err(Stop::Fault(fault)) = walked {
            return receiver.cut_off(Some(experiment), fault);
        }
        let mut count = walked?;
        for part in self.parts(source) {
            each_record(&part, receiver, Some(experiment), &mut |receiver, record| {
                count += 1;
                results.simulation(record.value, record.line, experiment, receiver)
            })?;
        }
        if receiver.record(experiment).declared_total.is_some_and(|declared| count < declared) {
            receiver.unfinished(experiment);
        }
        Ok(())
    }
}

/// Whether a path that a file names stays in the file's own folder.
fn is_inside(path: &str) -> bool {
    !path.starts_with(['/', '\\']) && !path.split(['/', '\\']).any(|part| part == "..")
}

/// A crash is written as a reward of 0 without any messages.
fn first(result: Value<'_>, line: u64, experiment: usize, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let Some(task) = text_at(result, "task_id") else {
        let message = "a result needs the id of its task";
        return receiver.fault(Fault::field("task_id", reason::NOT_A_ROW, message).at(line, None));
    };
    let trial = result.get("trial").and_then(|trial| trial.integer()).unwrap_or(0);
    let info = result.get("info");
    let mut case = root(format!("{task}_{trial:04}"));
    case.line = line;
    let mut input = ObjectText::new();
    input.put_text("task_id", Some(&task));
    case.input = input.finish();
    case.output = result.get("traj").and_then(|messages| messages.json());
    let definition = info.and_then(|info| info.get("task"));
    let mut expected = ObjectText::new();
    for name in ["actions", "outputs"] {
        expected.put(name, definition.and_then(|task| task.get(name)));
    }
    case.expected = expected.finish();
    case.error = info.and_then(|info| info.get("error")?.json());
    let mut metadata = ObjectText::new();
    metadata.put("task_id", result.get("task_id"));
    metadata.put("trial", result.get("trial"));
    metadata.put_all(info, &["task", "error", "task_id", "trial"]);
    metadata.put("instruction", definition.and_then(|task| task.get("instruction")));
    metadata.put("user_id", definition.and_then(|task| task.get("user_id")));
    case.metadata = metadata.finish();
    add_metric(&mut case, "user_cost", info.and_then(|info| info.get("user_cost")?.number()));
    let scores = rewards(result.get("reward"), case.error.as_deref());
    hand_on_case(receiver, experiment, case, &scores)
}

fn rewards(reward: Option<Value<'_>>, error: Option<&str>) -> Vec<Score> {
    let number = reward.and_then(|reward| reward.number());
    let success = number.map(|number| f64::from(u8::from((number - 1.0).abs() <= 1e-6)));
    let success = success.map_or_else(Reading::missing, Reading::of_number);
    let scores = [Score::new("reward", Reading::of(reward)), Score::new("success", success)];
    scores.map(|score| score.with_error(error.map(str::to_string))).into()
}

/// What a file of τ²-bench says beside its simulations, JSON text.
#[derive(Default)]
struct Results {
    info: Option<String>,
    timestamp: Option<String>,
    /// Task id to what the simulation was to do.
    tasks: indexmap::IndexMap<String, String>,
}

impl Results {
    fn read(source: &Source) -> Result<Self, Stop> {
        let mut results = Self::default();
        // Whatever breaks off the walk is met again, and reported, with the simulations.
        match results.read_fields(&mut json_stream(source)?) {
            Err(Stop::Fault(_)) | Ok(()) => Ok(results),
            Err(stop) => Err(stop),
        }
    }

    fn read_fields(&mut self, stream: &mut JsonStream) -> Result<(), Stop> {
        stream.enter_object()?;
        while let Some(key) = stream.key()? {
            match key.as_str() {
                "info" => self.info = Some(json(stream)?),
                "timestamp" => self.timestamp = Some(json(stream)?),
                "tasks" if stream.enter_array()? => {
                    while stream.element()? {
                        let task = json(stream)?;
                        let id = Value::parse(&task).ok().and_then(|task| text_at(task, "id"));
                        if let Some(id) = id {
                            self.tasks.insert(id, task);
                        }
                    }
                }
                _ => stream.skip()?,
            }
        }
        Ok(())
    }

    fn info(&self) -> Option<Value<'_>> {
        Value::parse(self.info.as_deref()?).ok()
    }

    fn domain(&self) -> Option<String> {
        text_at(self.info()?.get("environment_info")?, "domain_name")
    }

    fn describe(&self, experiment: usize, receiver: &mut dyn Receiver) {
        let info = self.info();
        let mut metadata = ObjectText::new();
        metadata.put("model", info.and_then(|info| info.at(&["agent_info", "llm"])));
        metadata.put_all(info, &["model"]);
        let trials = info.and_then(|info| info.get("num_trials")?.integer());
        let record = receiver.record(experiment);
        record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
        record.commit = info.and_then(|info| text_at(info, "git_commit"));
        record.created = micros(self.timestamp.as_deref().and_then(|text| Value::parse(text).ok()));
        record.dataset = self.domain();
        record.declared_total =
            trials.and_then(|trials| trials.checked_mul(self.tasks.len() as i64)).filter(|n| *n > 0);
    }

    /// Reads the simulations of the file, and says how many there are.
    fn simulations(&self, source: &Source, experiment: usize, receiver: &mut dyn Receiver) -> Result<i64, Stop> {
        let mut count = 0;
        let mut stream = json_stream(source)?;
        stream.enter_object()?;
        while let Some(key) = stream.key()? {
            if key != "simulations" || !stream.enter_array()? {
                stream.skip()?;
                continue;
            }
            while stream.element()? {
                count += 1;
                let line = stream.line();
                let text = json(&mut stream)?;
                match checked(&text, line, true) {
                    Ok(simulation) => self.simulation(simulation, line, experiment, receiver)?,
                    Err(fault) => receiver.fault(fault)?,
                }
            }
        }
        Ok(count)
    }

    fn simulation(
        &self,
        simulation: Value<'_>,
        line: u64,
        experiment: usize,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Stop> {
        let Some(task) = text_at(simulation, "task_id") else {
            let message = "a simulation needs the id of its task";
            return receiver.fault(Fault::field("task_id", reason::NOT_A_ROW, message).at(line, None));
        };
        let trial = simulation.get("trial").and_then(|trial| trial.integer());
        // Simulations that are not numbered are told apart by their own ids.
        let run = trial.map(|trial| format!("{trial:04}")).or_else(|| text_at(simulation, "id"));
        let mut case = root(format!("{task}_{}", run.as_deref().unwrap_or("0000")));
        case.line = line;
        let mut input = ObjectText::new();
        input.put_text("domain", self.domain().as_deref());
        input.put_text("task_id", Some(&task));
        case.input = input.finish();
        case.output = simulation.get("messages").and_then(|messages| messages.json());
        let definition = self.tasks.get(&task).and_then(|task| Value::parse(task).ok());
        case.expected = definition.and_then(|task| task.get("evaluation_criteria")?.json());
        set_times(&mut case, seconds(simulation.get("start_time")), seconds(simulation.get("end_time")));
        for (theirs, ours) in [("agent_cost", "agent_cost"), ("user_cost", "user_cost"), ("duration", "duration")] {
            add_metric(&mut case, ours, simulation.get(theirs).and_then(|value| value.number()));
        }
        let ended = text_at(simulation, "termination_reason").unwrap_or_default();
        // Such runs are not counted by the tool either.
        case.error = (ended == "infrastructure_error").then(|| quoted(&ended));
        let mut metadata = ObjectText::new();
        for name in ["id", "task_id", "trial", "seed", "mode", "termination_reason"] {
            metadata.put(name, simulation.get(name));
        }
        metadata.put("description", definition.and_then(|task| task.get("description")));
        metadata.put("reward_info", simulation.get("reward_info"));
        case.metadata = metadata.finish();
        for call in tool_calls(simulation, &case) {
            receiver.span(experiment, call)?;
        }
        let scores = rewards(simulation.at(&["reward_info", "reward"]), case.error.as_deref());
        hand_on_case(receiver, experiment, case, &scores)
    }
}

/// The tool calls of a simulation, with what came back.
fn tool_calls(simulation: Value<'_>, case: &Span) -> Vec<Span> {
    let messages: Vec<Value<'_>> = simulation.get("messages").iter().flat_map(Value::items).collect();
    let mut calls = Vec::new();
    for call in messages.iter().filter_map(|message| message.get("tool_calls")).flat_map(|calls| calls.items()) {
        let name = text_at(call, "name").or_else(|| text_at(call.get("function")?, "name"));
        let mut span = child(format!("{}/tool/{}", case.id, calls.len()), case);
        set_kind(&mut span, name.as_deref().unwrap_or("tool"), "tool", false);
        span.input = call.get("arguments").or_else(|| call.at(&["function", "arguments"])).and_then(|a| a.json());
        let id = text_at(call, "id");
        let answers = |message: &&Value<'_>| {
            id.is_some()
                && (text_at(**message, "id") == id || text_at(**message, "tool_call_id") == id)
                && text_at(**message, "role").as_deref() == Some("tool")
        };
        let answer = messages.iter().find(answers);
        span.output = answer.and_then(|answer| answer.get("content")?.json());
        let failed = answer.and_then(|answer| answer.get("error")?.boolean()) == Some(true);
        span.error = failed.then(|| span.output.clone()).flatten();
        calls.push(span);
    }
    calls
}

fn json(stream: &mut JsonStream) -> Result<String, Stop> {
    let line = stream.line();
    let piece = stream.piece()?;
    let text = text_of(stream.bytes(&piece));
    let value = checked(&text, line, true)?;
    Ok(if value.kind == Kind::Null { "null".into() } else { crate::json::to_json(&value) })
}

/// The list of the files that hold the simulations, where they are not in the file itself.
fn simulation_index(source: &Source) -> Option<String> {
    let mut stream = json_stream(source).ok()?;
    if !stream.enter_object().ok()? {
        return None;
    }
    while let Some(key) = stream.key().ok()? {
        if key == "simulation_index" {
            return json(&mut stream).ok();
        }
        stream.skip().ok()?;
    }
    None
}
