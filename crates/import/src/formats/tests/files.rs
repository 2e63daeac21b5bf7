//! Small files of every format, as their tools write them.

use std::io::Write;

/// A file of a format: its name, its content, and the files beside it.
pub(super) struct Sample {
    pub(super) format: &'static str,
    pub(super) files: Vec<(&'static str, Vec<u8>)>,
}

fn sample(format: &'static str, files: &[(&'static str, &str)]) -> Sample {
    Sample { format, files: files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect() }
}

/// An Inspect log in the form of its two containers: two samples of two epochs.
pub(super) const INSPECT: &str = r#"{"version":2,"status":"success","eval":{"eval_id":"e1","run_id":"r1","created":"2025-01-02T03:04:05+00:00","task":"demo","task_id":"t1","dataset":{"name":"demo","samples":2,"sample_ids":[1,"2"]},"model":"m/x","config":{"epochs":2},"revision":{"type":"git","origin":"o","commit":"abc"}},"plan":{"name":"plan","steps":[]},"results":{"total_samples":4,"completed_samples":4,"scores":[]},"stats":{"model_usage":{}},"samples":[
{"id":1,"epoch":1,"input":"q1","target":"A","choices":["A","B"],"messages":[],"output":{"model":"m/x","choices":[],"completion":"A"},"scores":{"match":{"value":"C","answer":"A"},"quality":{"value":0.25}},"metadata":{"level":3},"model_usage":{"m/x":{"input_tokens":5,"output_tokens":2,"total_tokens":7}},"events":[{"event":"span_begin","id":"s1","type":"solvers","name":"solvers","timestamp":"2025-01-02T03:04:05+00:00"},{"event":"model","span_id":"s1","model":"m/x","input":[],"input_refs":[[0,2]],"output":{"model":"m/x","choices":[{"message":{"role":"assistant","content":"A"}}],"usage":{"input_tokens":5,"output_tokens":2,"total_tokens":7}},"timestamp":"2025-01-02T03:04:06+00:00","completed":"2025-01-02T03:04:07+00:00"},{"event":"tool","span_id":"s1","id":"c1","function":"search","arguments":{"q":"x"},"result":"attachment://h1","timestamp":"2025-01-02T03:04:07+00:00"},{"event":"span_end","id":"s1","timestamp":"2025-01-02T03:04:08+00:00"},{"event":"span_begin","id":"s2","type":"scorer","name":"match","timestamp":"2025-01-02T03:04:08+00:00"},{"event":"model","span_id":"s2","model":"judge","input":[],"output":{"choices":[],"usage":{"input_tokens":100}},"timestamp":"2025-01-02T03:04:08+00:00"},{"event":"span_end","id":"s2","timestamp":"2025-01-02T03:04:09+00:00"}],"events_data":{"messages":[{"role":"system","content":"be good"},{"role":"user","content":"q1"}]},"attachments":{"h1":"long text"}},
{"id":1,"epoch":2,"input":"q1","target":"A","choices":["A","B"],"output":{"completion":"B"},"scores":{"match":{"value":"I"},"quality":{"value":NaN}}},
{"id":"2","epoch":1,"input":[{"id":"x1","role":"user","content":"q2"}],"target":["A","B"],"output":{"completion":""},"scores":{"match":{"value":"partly"},"quality":{"value":{"depth":1,"width":0}}}},
{"id":"2","epoch":2,"input":[{"id":"x2","role":"user","content":"q2"}],"target":["A","B"],"error":{"message":"boom","traceback":"t","traceback_ansi":"\u001b[31m"}}
]}"#;

/// A zip archive of an Inspect log, made of the members of a list.
pub(super) fn zip(members: &[(&str, Vec<u8>, rawzip::CompressionMethod)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content, method) in members {
        let (mut entry, config) = archive.new_file(*name).compression_method(*method).start().unwrap();
        let descriptor = match *method {
            rawzip::CompressionMethod::DEFLATE => {
                let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
                let mut writer = config.wrap(encoder);
                writer.write_all(content).unwrap();
                let (encoder, descriptor) = writer.finish().unwrap();
                encoder.finish().unwrap();
                descriptor
            }
            rawzip::CompressionMethod::ZSTD => {
                // Two frames, as of a member that is larger than one.
                let (first, second) = content.split_at(content.len() / 2);
                let mut writer = config.wrap(Vec::new());
                writer.write_all(content).unwrap();
                let (_, descriptor) = writer.finish().unwrap();
                entry.write_all(&zstd::encode_all(first, 1).unwrap()).unwrap();
                entry.write_all(&zstd::encode_all(second, 1).unwrap()).unwrap();
                descriptor
            }
            _ => {
                let mut writer = config.wrap(&mut entry);
                writer.write_all(content).unwrap();
                writer.finish().unwrap().1
            }
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// The `.eval` form of [`INSPECT`]; without a header the run goes on.
pub(super) fn inspect_archive(with_header: bool, method: rawzip::CompressionMethod) -> Vec<u8> {
    let (head, samples) = INSPECT.split_once(",\"samples\":[\n").unwrap();
    let samples: Vec<&str> = samples.trim_end_matches("\n]}").split(",\n").collect();
    let start = head.split(",\"results\"").next().unwrap();
    let mut members =
        vec![("_journal/start.json", format!("{start}}}").replace("\"status\":\"success\",", "").into_bytes(), method)];
    let names =
        ["samples/1_epoch_1.json", "samples/1_epoch_2.json", "samples/2_epoch_1.json", "samples/2_epoch_2.json"];
    for (name, sample) in names.into_iter().zip(samples) {
        members.push((name, sample.as_bytes().to_vec(), method));
    }
    // The sample was run again; the member that comes last counts.
    members.push((names[3], members[4].1.clone(), method));
    if with_header {
        members.push(("header.json", format!("{head}}}").into_bytes(), method));
    }
    zip(&members)
}

pub(super) const PROMPTFOO: &str = r#"{"evalId":"eval-1","results":{"version":3,"timestamp":"2025-01-02T03:04:05.000Z","prompts":[{"id":"p","raw":"{{q}}","label":"ask","provider":"echo-a","metrics":{"testPassCount":2,"testFailCount":1,"testErrorCount":1}},{"id":"p","raw":"{{q}}","label":"ask","provider":"echo-b","metrics":{"testPassCount":1,"testFailCount":0,"testErrorCount":0}}],"results":[
{"id":"u1","promptIdx":0,"testIdx":0,"promptId":"p","provider":{"id":"echo","label":"echo-a"},"prompt":{"raw":"one","label":"ask"},"vars":{"q":"one"},"response":{"output":"1","cached":false,"tokenUsage":{"total":3}},"success":true,"score":1,"namedScores":{"brevity":1},"failureReason":0,"gradingResult":{"pass":true,"score":1,"reason":"ok","componentResults":[{"pass":true,"score":1,"reason":"ok","assertion":{"type":"contains","value":"1","metric":"brevity"},"tokensUsed":{"total":9}}]},"latencyMs":1500,"cost":0.5,"testCase":{"vars":{"q":"one"},"assert":[{"type":"contains","value":"1"}]}},
{"id":"u2","promptIdx":0,"testIdx":1,"promptId":"p","provider":{"id":"echo","label":"echo-a"},"prompt":{"raw":"one","label":"ask"},"vars":{"q":"one"},"response":{"output":"x","cached":true},"success":false,"score":0,"namedScores":{"brevity":0},"failureReason":1,"error":"Expected 1","gradingResult":{"pass":false,"score":0,"reason":"Expected 1","componentResults":[]},"latencyMs":1,"testCase":{"vars":{"q":"one"},"assert":[{"type":"contains","value":"1"}]}},
{"id":"u3","promptIdx":0,"testIdx":2,"promptId":"p","provider":{"id":"echo","label":"echo-a"},"prompt":{"raw":"two","label":"ask"},"vars":{"q":"two"},"success":false,"score":0,"namedScores":{},"failureReason":2,"error":"API error","gradingResult":null,"testCase":{"vars":{"q":"two"}}},
{"id":"u4","promptIdx":0,"testIdx":3,"promptId":"p","provider":{"id":"echo","label":"echo-a"},"prompt":{"raw":"two","label":"ask"},"vars":{"q":"two"},"response":{"output":"2"},"success":true,"score":1,"namedScores":{},"failureReason":0,"testCase":{"vars":{"q":"two"},"description":"other"}},
{"id":"u5","promptIdx":1,"testIdx":0,"promptId":"p","provider":{"id":"echo","label":"echo-b"},"prompt":{"raw":"one","label":"ask"},"vars":{"q":"one"},"response":{"output":"1"},"success":true,"score":1,"namedScores":{},"failureReason":0,"testCase":{"vars":{"q":"one"},"assert":[{"type":"contains","value":"1"}]}}
],"stats":{"successes":3,"failures":1,"errors":1}},"config":{"description":"demo","tests":[]},"metadata":{"promptfooVersion":"0.121.20"},"vars":["q"],"runtimeOptions":{"repeat":2}}"#;

pub(super) const LM_EVAL_RESULTS: &str = r#"{"results":{"arith":{"alias":"arith","exact_match,strict":0.5,"exact_match,loose":1.0}},"group_subtasks":{},"configs":{"arith":{"task":"arith"}},"versions":{"arith":1.0},"n-shot":{"arith":0},"higher_is_better":{"arith":{"exact_match":true}},"n-samples":{"arith":{"original":10,"effective":2}},"config":{"model":"dummy","limit":2.0},"git_hash":"abc","date":1735787045.5,"model_name":"org/dummy"}"#;
pub(super) const LM_EVAL_SAMPLES: &str = r#"{"doc_id":0,"doc":{"q":"1+1?"},"target":"2","arguments":{"gen_args_0":{"arg_0":"Q: 1+1?"}},"resps":[["2","2"]],"filtered_resps":["2"],"filter":"strict","metrics":["exact_match","ppl"],"doc_hash":"h0","exact_match":1.0,"ppl":[0.5,3]}
{"doc_id":0,"doc":{"q":"1+1?"},"target":"2","arguments":{},"resps":[["2"]],"filtered_resps":["2"],"filter":"loose","metrics":["exact_match"],"doc_hash":"h0","exact_match":1.0}
{"doc_id":1,"doc":{"q":"1+1?"},"target":"2","arguments":{},"resps":[["3"]],"filtered_resps":["[invalid]"],"filter":"strict","metrics":["exact_match"],"doc_hash":"h0","exact_match":0.0}
{"doc_id":1,"doc":{"q":"1+1?"},"target":"2","arguments":{},"resps":[["3"]],"filtered_resps":["3"],"filter":"loose","metrics":["exact_match"],"doc_hash":"h0","exact_match":1.0}
"#;

const OPENAI_EVALS: &str = r#"{"spec":{"completion_fns":["gpt-x"],"eval_name":"demo.dev.v0","base_eval":"demo","split":"dev","run_config":{},"run_id":"run1","created_at":"2025-01-02 03:04:05.000000"}}
{"run_id":"run1","event_id":0,"sample_id":"demo.dev.0","type":"sampling","data":{"prompt":"q0","sampled":["a0"],"usage":{"total_tokens":4}},"created_at":"2025-01-02 03:04:06.000000+00:00"}
{"run_id":"run1","event_id":1,"sample_id":"demo.dev.1","type":"sampling","data":{"prompt":"q1","sampled":["a1"]},"created_at":"2025-01-02 03:04:06.000000+00:00"}
{"run_id":"run1","event_id":2,"sample_id":"demo.dev.0","type":"match","data":{"correct":true,"expected":"a0","picked":"a0"},"created_at":"2025-01-02 03:04:07.000000+00:00"}
{"run_id":"run1","event_id":3,"sample_id":"demo.dev.1","type":"match","data":{"correct":false,"expected":"b1"},"created_at":"2025-01-02 03:04:07.000000+00:00"}
{"run_id":"run1","event_id":4,"sample_id":"demo.dev.2","type":"error","data":{"type":"Timeout","message":"too slow"},"created_at":"2025-01-02 03:04:07.000000+00:00"}
{"run_id":"run1","event_id":5,"sample_id":"demo.dev.0","type":"metrics","data":{"f1":0.5},"created_at":"2025-01-02 03:04:07.000000+00:00"}
{"final_report":{"accuracy":0.5},"run_id":"run1"}
"#;

/// Two lines of one trace: the root comes last, one span has no parent in the file.
const OTLP: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bot"}}]},"scopeSpans":[{"spans":[{"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"b7ad6b7169203331","parentSpanId":"00f067aa0ba902b7","name":"chat","kind":3,"startTimeUnixNano":"1735787045000000001","endTimeUnixNano":"1735787046000000001","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"12"}},{"key":"gen_ai.prompt.0.role","value":{"stringValue":"user"}},{"key":"gen_ai.prompt.0.content","value":{"stringValue":"hi"}}],"events":[{"timeUnixNano":"1","name":"gen_ai.evaluation.result","attributes":[{"key":"gen_ai.evaluation.name","value":{"stringValue":"tone"}},{"key":"gen_ai.evaluation.score.value","value":{"doubleValue":0.75}}]}],"status":{"code":2,"message":"bad"}}]}]}]}
{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","parentSpanId":"","name":"root","startTimeUnixNano":"1735787044000000000","endTimeUnixNano":"1735787047000000000","attributes":[{"key":"openinference.span.kind","value":{"stringValue":"AGENT"}},{"key":"input.value","value":{"stringValue":"{\"q\":1}"}},{"key":"input.mime_type","value":{"stringValue":"application/json"}},{"key":"output.value","value":{"stringValue":"{\"a\":1}"}}]}]}]}]}
{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"AAAAAAAAAAAAAAAAAAAAAQ==","spanId":"AAAAAAAAAAE=","parentSpanId":"ffffffffffffffff","name":"orphan","attributes":[]}]}]}]}
"#;

const MLFLOW: &str = r#"{"info":{"trace_id":"tr-59b29a900f8b4a5c8d2e1f0a3b4c5d6e","request_time":"2025-01-02T03:04:05Z","state":"OK","execution_duration_ms":0,"trace_metadata":{"mlflow.sourceRun":"run9","mlflow.traceInputs":"{\"q\": \"b\"}","mlflow.traceOutputs":"\"B\"","mlflow.source.git.commit":"abc"},"tags":{"mlflow.traceName":"t"},"assessments":[{"assessment_id":"a-1","assessment_name":"good","source":{"source_type":"LLM_JUDGE","source_id":"j"},"feedback":{"value":"no"},"valid":false},{"assessment_id":"a-2","assessment_name":"good","source":{"source_type":"HUMAN"},"feedback":{"value":"yes"},"rationale":"because","valid":true},{"assessment_id":"a-3","assessment_name":"tone","feedback":{"value":null,"error":{"error_code":"E","error_message":"failed"}}},{"assessment_id":"a-4","assessment_name":"answer","expectation":{"value":"B"}}]},"data":{"spans":[{"trace_id":"WbKakA+LSlyNLh8KO0xdbg==","span_id":"8PARIjNEVWY=","parent_span_id":null,"name":"predict","start_time_unix_nano":1735787045000000000,"end_time_unix_nano":1735787046000000000,"status":{"code":"STATUS_CODE_OK"},"attributes":{"mlflow.spanType":"\"CHAIN\"","mlflow.spanInputs":"{\"q\": \"b\"}"}},{"trace_id":"WbKakA+LSlyNLh8KO0xdbg==","span_id":"AQIDBAUGBwg=","parent_span_id":"8PARIjNEVWY=","name":"llm","start_time_unix_nano":1735787045100000000,"end_time_unix_nano":1735787045900000000,"status":{"code":"STATUS_CODE_OK"},"attributes":{"mlflow.spanType":"\"CHAT_MODEL\"","mlflow.chat.tokenUsage":"{\"input_tokens\": 10, \"output_tokens\": 3, \"total_tokens\": 13}"}}]}}"#;

const PHOENIX: &str = r#"[{"example_id":"ex1","repetition_number":1,"input":{"q":1},"reference_output":{"a":1},"output":"1","error":null,"latency_ms":12.5,"start_time":"2025-01-02T03:04:05+00:00","end_time":"2025-01-02T03:04:06+00:00","trace_id":null,"prompt_token_count":3,"completion_token_count":1,"annotations":[{"name":"correct","annotator_kind":"CODE","label":null,"score":1.0,"explanation":null,"error":null,"metadata":{}},{"name":"style","annotator_kind":"LLM","label":"formal","score":null,"error":null}]},
{"example_id":"ex1","repetition_number":2,"input":{"q":1},"reference_output":{"a":1},"output":null,"error":"boom","latency_ms":1,"start_time":"2025-01-02T03:04:01+00:00","end_time":"2025-01-02T03:04:02+00:00","annotations":[{"name":"correct","annotator_kind":"CODE","score":null,"error":"no output"}]}]"#;
const PHOENIX_CSV: &str = "example_id,repetition_number,input,reference_output,output,metadata,error,latency_ms,start_time,end_time,trace_id,annotation_is_it_right_label,annotation_is_it_right_score,annotation_is_it_right_error\nex1,1,\"{\"\"q\"\": \"\"a,b\"\"}\",{},007,{},,5,2025-01-02T03:04:05+00:00,2025-01-02T03:04:06+00:00,,yes,1.0,\nex2,1,{},{},x,{},,5,2025-01-02T03:04:05+00:00,2025-01-02T03:04:06+00:00,,,0.0,\n";

const LANGFUSE: &str = r#"{"id":"o1","trace_id":"t1","type":"SPAN","parent_observation_id":"","start_time":"2025-01-02 03:04:05.000000","end_time":"2025-01-02 03:04:07.000000","name":"root","input":"{\"q\":1}","output":"one","level":"DEFAULT","usage_details":{},"updated_at":"2025-01-02 03:04:08.000000"}
{"id":"o2","trace_id":"t1","type":"GENERATION","parent_observation_id":"o1","start_time":"2025-01-02 03:04:05.500000","end_time":"2025-01-02 03:04:06.500000","name":"call","input":"x","output":"old","level":"DEFAULT","provided_model_name":"m","usage_details":{"input":7,"output":2,"total":9},"cost_details":{"total":0.25},"time_to_first_token":300,"updated_at":"2025-01-02 03:04:08.000000"}
{"id":"o2","trace_id":"t1","type":"GENERATION","parent_observation_id":"o1","start_time":"2025-01-02 03:04:05.500000","end_time":"2025-01-02 03:04:06.500000","name":"call","input":"x","output":"new","level":"ERROR","status_message":"late","provided_model_name":"m","usage_details":{"input":7,"output":2,"total":9},"cost_details":{"total":0.25},"time_to_first_token":300,"updated_at":"2025-01-02 03:05:08.000000"}
"#;
const LANGFUSE_SCORES: &str = r#"{"id":"s1","trace_id":"t1","observation_id":null,"name":"right","value":1,"data_type":"BOOLEAN","string_value":"True","comment":"ok","source":"API","updated_at":"2025-01-02 03:04:08.000000"}
{"id":"s2","trace_id":"t1","observation_id":"o2","name":"kind","value":0,"data_type":"CATEGORICAL","string_value":"greeting","source":"EVAL","updated_at":"2025-01-02 03:04:08.000000"}
"#;

const LANGSMITH: &str = r#"{"id":"r1","name":"target","run_type":"chain","inputs":{"q":1},"outputs":{"a":1},"start_time":"2025-01-02T03:04:05","end_time":"2025-01-02T03:04:06","trace_id":"r1","dotted_order":"20250102T030405000000Zr1","session_id":"sess","reference_example_id":"ex1","feedback_stats":{"exact":{"n":1,"avg":1.0,"values":{}},"tone":{"n":1,"avg":null,"values":{"warm":1}}},"extra":{"metadata":{"k":"v"}},"error":null}
{"id":"r2","name":"llm","run_type":"llm","inputs":{},"outputs":{},"start_time":"2025-01-02T03:04:05.100000","end_time":"2025-01-02T03:04:05.900000","trace_id":"r1","parent_run_id":"r1","dotted_order":"20250102T030405000000Zr1.20250102T030405100000Zr2","session_id":"sess","total_tokens":11,"total_cost":"0.002","error":null}
"#;
const LANGSMITH_UPLOAD: &str = r#"{"experiment_name":"exp","experiment_start_time":"2025-01-02T03:04:05Z","dataset_name":"d","results":[{"row_id":"a","inputs":{"q":1},"expected_outputs":{"a":1},"actual_outputs":{"a":2},"evaluation_scores":[{"key":"exact","score":0},{"key":"kind","value":"off"}],"start_time":"2025-01-02T03:04:05Z","end_time":"2025-01-02T03:04:06Z"}]}"#;
const LANGSMITH_CSV: &str = "inputs.q,outputs.a,error,reference.a,feedback.exact,execution_time,example_id,id\n1,2,,3,0.0,1.5,ex,run1\n1,3,,3,1.0,1.5,ex,run2\n1,,boom,3,,0.5,ex,run3\n";

const HELM_SPEC: &str = r#"{"name":"demo:model=m","scenario_spec":{"class_name":"c","args":{}},"adapter_spec":{"method":"multiple_choice_joint","model":"org/m"},"metric_specs":[],"groups":[]}"#;
const HELM_STATE: &str = r#"{"adapter_spec":{},"request_states":[{"instance":{"input":{"text":"q"},"references":[{"output":{"text":"yes"},"tags":["correct"]},{"output":{"text":"no"},"tags":[]}],"split":"test","id":"id1"},"train_trial_index":0,"output_mapping":{"A":"yes","B":"no"},"request":{"model":"org/m","prompt":"P"},"result":{"success":true,"completions":[{"text":" A"}],"request_time":0.5,"request_datetime":1735787045}},{"instance":{"input":{"text":"Q"},"references":[],"split":"test","id":"id1","perturbation":{"name":"upper"}},"train_trial_index":0,"request":{"prompt":"P"},"result":{"success":true,"completions":[{"text":"B"}]}}]}"#;
const HELM_STATS: &str = r#"[{"instance_id":"id1","train_trial_index":0,"stats":[{"name":{"name":"exact_match","split":"test"},"count":1,"sum":1,"mean":1.0},{"name":{"name":"num_prompt_tokens"},"mean":12.0}]},{"instance_id":"id1","perturbation":{"name":"upper"},"train_trial_index":0,"stats":[{"name":{"name":"exact_match"},"mean":0.0}]}]"#;

const SWE_BENCH: &str = r#"{"total_instances":500,"submitted_instances":4,"completed_instances":2,"resolved_instances":1,"unresolved_instances":1,"completed_ids":["a__a-1","b__b-2"],"incomplete_ids":["d__d-4"],"empty_patch_ids":[],"submitted_ids":["a__a-1","b__b-2","c__c-3","d__d-4"],"resolved_ids":["a__a-1"],"unresolved_ids":["b__b-2"],"error_ids":["c__c-3"],"schema_version":2}"#;
const SWE_BENCH_PREDICTIONS: &str =
    "{\"instance_id\":\"a__a-1\",\"model_patch\":\"diff\",\"model_name_or_path\":\"m\"}\n";

const TAU: &str = r#"[{"task_id":0,"reward":1.0,"info":{"task":{"user_id":"u","instruction":"do","actions":[{"name":"x"}],"outputs":[]},"source":"user"},"traj":[{"role":"user","content":"hi"}],"trial":0},{"task_id":0,"reward":0.0,"info":{"error":"boom","traceback":"t"},"traj":[],"trial":1},{"task_id":1,"reward":0.0,"info":{},"traj":[{"role":"user","content":"hi"}],"trial":0}]"#;
const TAU2: &str = r#"{"timestamp":"2025-01-02T03:04:05","info":{"git_commit":"abc","num_trials":2,"agent_info":{"llm":"m"},"environment_info":{"domain_name":"retail"}},"tasks":[{"id":"1","description":"d","evaluation_criteria":{"actions":[]}}],"simulations":[{"id":"s1","task_id":"1","start_time":"2025-01-02T03:04:05","end_time":"2025-01-02T03:04:06","duration":1.0,"termination_reason":"user_stop","agent_cost":0.5,"reward_info":{"reward":1.0},"messages":[{"role":"assistant","tool_calls":[{"id":"c1","name":"find","arguments":{"q":1}}]},{"role":"tool","id":"c1","content":"found","error":false}],"trial":0},{"id":"s2","task_id":"1","termination_reason":"infrastructure_error","reward_info":{"reward":0.0},"messages":[],"trial":1}]}"#;

const DEEPEVAL: &str = r#"{"testFile":"test_x.py","testCases":[{"name":"test_case_0","input":"q","actualOutput":"a","expectedOutput":"e","success":false,"completionTime":1.5,"metricsData":[{"name":"Answer Relevancy","threshold":0.5,"success":true,"score":0.9,"reason":"fine","evaluationModel":"j","evaluationCost":0.01},{"name":"Bias","threshold":0.5,"success":false,"error":"judge failed"}]}],"conversationalTestCases":[],"metricsScores":[{"metric":"Answer Relevancy","scores":[0.9],"passes":1,"fails":0,"errors":0}],"testPassed":0,"testFailed":1,"runDuration":2.0}"#;

const WEAVE: &str = r#"{"id":"e","op_name":"weave:///o/p/op/Evaluation.evaluate:h","display_name":"my eval","trace_id":"T","parent_id":null,"started_at":"2025-01-02T03:04:05Z","inputs":{},"output":{}}
{"id":"p1","op_name":"weave:///o/p/op/Evaluation.predict_and_score:h","trace_id":"T","parent_id":"e","started_at":"2025-01-02T03:04:05Z","ended_at":"2025-01-02T03:04:06Z","inputs":{"model":"weave:///m","example":{"q":1}},"output":{"output":"a","scores":{"match":{"correct":true,"detail":{"f1":0.5}},"none":null},"model_latency":0.25}}
{"id":"m1","op_name":"weave:///o/p/op/Model.predict:h","trace_id":"T","parent_id":"p1","started_at":"2025-01-02T03:04:05Z","ended_at":"2025-01-02T03:04:06Z","inputs":{"q":1},"output":"a","summary":{"usage":{"gpt":{"requests":1,"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}}}
{"id":"s","op_name":"weave:///o/p/op/Evaluation.summarize:h","trace_id":"T","parent_id":"e","started_at":"2025-01-02T03:04:07Z","inputs":{},"output":{"match":{"correct":{"true_count":1,"true_fraction":1.0}}}}
"#;

const OPIK: &str = r#"[{"id":"i1","experiment_id":"x","dataset_item_id":"d1","trace_id":"t","dataset_item_data":{"q":1,"expected_output":"a"},"evaluation_task_output":{"output":"a"},"feedback_scores":[{"name":"equals","value":1.0,"reason":"same"},{"name":"tone","value":2,"category_name":"warm"}]},{"id":"i2","experiment_id":"x","dataset_item_id":"d1","dataset_item_data":{"q":1,"expected_output":"a"},"evaluation_task_output":{"output":"b"},"feedback_scores":[]}]"#;

const ALPACA: &str = r#"[{"instruction":"i","dataset":"d","output_1":"x","generator_1":"base","output_2":"y","generator_2":"org/new","annotator":"judge","preference":1.25,"price_per_example":0.1},{"instruction":"j","output_1":"x","generator_1":"base","output_2":"y","generator_2":"org/new","annotator":"judge","preference":NaN}]"#;
const BATTLES: &str = "model_a;model_b;winner;question_id\na;b;model_a;1\na;c;tie (bothbad);2\n";
const METR: &str = r#"{"task_id":"f/1","task_family":"f","run_id":"1","alias":"m","score_binarized":1,"score_cont":0.9,"equal_task_weight":0.5}
{"task_id":"f/1","task_family":"f","run_id":"2","alias":"m","score_binarized":0,"score_cont":null,"equal_task_weight":0.5}
"#;

const BRAINTRUST_CSV: &str = "id,span_id,root_span_id,span_parents,input,output,expected,scores.right,metadata.model,created\na,a,a,,\"{\"\"q\"\": 1}\",x,x,1,m,2025-01-02T03:04:05Z\nb,b,a,\"[\"\"a\"\"]\",y,,,,m,2025-01-02T03:04:05Z\n";

pub(super) const GENERIC_CSV: &str = "\u{feff}question;answer;target;f1_score;latency_ms;zip;quality_score\r\n\"one;\r\ntwo\";a;a;0.5;120;007;NaN\r\nthree;b;b;1;;1e5;0\r\n";

/// A file of every format.
pub(super) fn all() -> Vec<Sample> {
    let eval = inspect_archive(true, rawzip::CompressionMethod::ZSTD);
    vec![
        sample("inspect", &[("log.json", INSPECT)]),
        Sample { format: "inspect", files: vec![("log.eval", eval)] },
        sample("promptfoo", &[("output.json", PROMPTFOO)]),
        sample(
            "lm-eval",
            &[
                ("results_2025-01-02T03-04-05.678901.json", LM_EVAL_RESULTS),
                ("samples_arith_2025-01-02T03-04-05.678901.jsonl", LM_EVAL_SAMPLES),
            ],
        ),
        sample("openai-evals", &[("log.jsonl", OPENAI_EVALS)]),
        sample("otlp", &[("traces.jsonl", OTLP)]),
        sample("mlflow", &[("trace.json", MLFLOW)]),
        sample("phoenix", &[("experiment.json", PHOENIX)]),
        sample("phoenix", &[("experiment.csv", PHOENIX_CSV)]),
        sample("langfuse", &[("observations.jsonl", LANGFUSE), ("scores.jsonl", LANGFUSE_SCORES)]),
        sample("langsmith", &[("runs.jsonl", LANGSMITH)]),
        sample("langsmith", &[("upload.json", LANGSMITH_UPLOAD)]),
        sample("langsmith", &[("table.csv", LANGSMITH_CSV)]),
        sample(
            "helm",
            &[
                ("per_instance_stats.json", HELM_STATS),
                ("run_spec.json", HELM_SPEC),
                ("scenario_state.json", HELM_STATE),
            ],
        ),
        sample("swe-bench", &[("m.run.json", SWE_BENCH), ("all_preds.jsonl", SWE_BENCH_PREDICTIONS)]),
        sample("tau-bench", &[("tau.json", TAU)]),
        sample("tau-bench", &[("tau2.json", TAU2)]),
        sample("deepeval", &[("test_run.json", DEEPEVAL)]),
        sample("weave", &[("calls.jsonl", WEAVE)]),
        sample("opik", &[("items.json", OPIK)]),
        sample("pairwise", &[("annotations.json", ALPACA)]),
        sample("pairwise", &[("battles.csv", BATTLES)]),
        sample("pairwise", &[("metr.jsonl", METR)]),
        sample("braintrust-table", &[("rows.csv", BRAINTRUST_CSV)]),
        sample("generic", &[("own.csv", GENERIC_CSV)]),
    ]
}

/// The file of a format whose main file has a name.
pub(super) fn named(name: &str) -> Vec<(&'static str, Vec<u8>)> {
    all().into_iter().find(|sample| sample.files[0].0 == name).map(|sample| sample.files).unwrap()
}
