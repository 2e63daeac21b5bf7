//! Phrases that a language model translates: a small endpoint that answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use super::{Output, Program};

const PHRASE: &str = "cases that nobody is proud of";

/// What the endpoint was sent.
struct Asked {
    line: String,
    key: Option<String>,
    body: Value,
}

/// An endpoint on a port of its own that answers one request and says what it was sent.
struct Endpoint {
    url: String,
    asked: thread::JoinHandle<Asked>,
}

impl Endpoint {
    fn answering(status: &'static str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            answer(stream, status, &body)
        });
        Self { url, asked }
    }

    /// With a message, as a chat model sends one.
    fn saying(content: &str) -> Self {
        let body = json!({ "choices": [{ "message": { "role": "assistant", "content": content } }] });
        Self::answering("200 OK", body.to_string())
    }
}

fn answer(mut stream: TcpStream, status: &str, body: &str) -> Asked {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (mut length, mut key) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => key = Some(value.trim().to_string()),
            _ => {}
        }
    }
    let mut sent = vec![0; length];
    reader.read_exact(&mut sent).unwrap();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    Asked { line: line.trim().to_string(), key, body: serde_json::from_slice(&sent).unwrap() }
}

/// Asks for cases by a phrase, of a model at this URL.
fn cases_of(program: &Program, url: Option<&str>) -> Output {
    let asked = ["cases", "prompt-v2", "--format", "json", "--columns", "id", "--where", PHRASE];
    let model = [("EVALHOUSE_LLM_MODEL", "small-model"), ("EVALHOUSE_LLM_API_KEY", "secret-key")];
    let url = url.map(|url| ("EVALHOUSE_LLM_URL", url));
    program.run_with_environment(&asked, &url.into_iter().chain(model).collect::<Vec<_>>())
}

/// Checks an input error whose message has these parts.
#[track_caller]
fn is_refused(output: &Output, parts: &[&str]) {
    assert_eq!(output.code, Some(2), "{output}");
    assert_eq!(output.stdout, "", "{output}");
    for part in parts {
        assert!(output.stderr.contains(part), "no `{part}` in {output}");
    }
    assert!(!output.stderr.contains("secret-key"), "{output}");
}

#[test]
fn an_answer_is_checked_shown_and_used() {
    let program = Program::with_bundled_data();
    // In a fence, as models like to write.
    let endpoint = Endpoint::saying("```sql\nscores.Factuality < 50% and error is null\n```");
    let output = cases_of(&program, Some(&endpoint.url));
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(output.stderr, "where: scores.Factuality < 50% and error is null  (by small-model)\n");
    let plain = ["cases", "prompt-v2", "--format", "json", "--columns", "id", "--where"];
    let same = program.run(&[&plain[..], &["scores.Factuality < 50% and error is null"]].concat());
    assert_eq!(output.json()["rows"], same.json()["rows"]);

    let asked = endpoint.asked.join().unwrap();
    assert_eq!(asked.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(asked.key.as_deref(), Some("Bearer secret-key"));
    assert_eq!(asked.body["model"], "small-model");
    assert_eq!(asked.body["messages"][1], json!({ "role": "user", "content": PHRASE }));
    let told = asked.body["messages"][0]["content"].as_str().unwrap();
    for name in ["Factuality", "ValidFormat", "duration", "metadata.category"] {
        assert!(told.contains(name), "the model is not told of {name}: {told}");
    }
    // Names leave the machine, values do not.
    for value in ["refunds", "C-12158", "atlas-large-2"] {
        assert!(!told.contains(value), "the model is told of {value}");
    }
}

#[test]
fn an_answer_that_is_no_filter_is_refused() {
    let program = Program::with_bundled_data();
    for (content, parts) in [
        ("Sure! Here is your filter.", ["which is no filter", "is not expected here"]),
        ("scores.Politeness < 0.5", ["which is no filter", "there is no score `Politeness`"]),
        ("scores.Factuality", ["which is no filter", "expected a condition"]),
        ("drop table cases", ["which is no filter", "is not expected here"]),
        // What speaks of pairs of cases is checked as well.
        ("regressed(scores.Politeness)", ["which is no filter", "there is no score `Politeness`"]),
        ("delta(Factuality) < 'low'", ["which is no filter", "expected a number"]),
        ("baseline(metadata.nothing", ["which is no filter", "expected"]),
        ("", ["which is no filter", "expected a value"]),
    ] {
        let endpoint = Endpoint::saying(content);
        let output = cases_of(&program, Some(&endpoint.url));
        is_refused(&output, &parts);
        assert!(output.stderr.contains(&format!("the model `small-model` answered `{content}`")), "{output}");
        endpoint.asked.join().unwrap();
    }
}

/// A condition about pairs is checked where the pairs are.
#[test]
fn an_answer_about_pairs_needs_a_baseline() {
    let program = Program::with_bundled_data();
    let endpoint = Endpoint::saying("regressed(Factuality)");
    is_refused(&cases_of(&program, Some(&endpoint.url)), &["name one with --against"]);
    endpoint.asked.join().unwrap();
}

#[test]
fn an_endpoint_that_fails_is_named() {
    let program = Program::with_bundled_data();
    for (status, body, message) in [
        ("500 Internal Server Error", "{}", "answered 500 Internal Server Error"),
        ("401 Unauthorized", "{\"error\": \"bad key\"}", "answered 401 Unauthorized"),
        ("200 OK", "<html>", "sent no answer that can be read"),
        ("200 OK", "{\"choices\": []}", "answered without a message"),
    ] {
        let endpoint = Endpoint::answering(status, body.to_string());
        let output = cases_of(&program, Some(&endpoint.url));
        is_refused(&output, &["the language model at http://127.0.0.1:", "/v1/chat/completions", message]);
        endpoint.asked.join().unwrap();
    }
    // Nobody listens any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    is_refused(&cases_of(&program, Some(&format!("http://127.0.0.1:{port}/v1"))), &["did not answer", "because"]);
}

#[test]
fn without_an_endpoint_the_error_says_what_to_do() {
    let program = Program::with_bundled_data();
    let parts = ["is neither a filter nor a phrase", "language_model.base_url", "EVALHOUSE_LLM_URL"];
    is_refused(&cases_of(&program, None), &parts);
}

#[test]
fn a_phrase_of_the_grammar_and_a_slip_ask_nobody() {
    let program = Program::with_bundled_data();
    // A port that nobody listens on: whoever asked would fail.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let environment = [("EVALHOUSE_LLM_URL", url.as_str()), ("EVALHOUSE_LLM_MODEL", "small-model")];
    let asked = |filter: &str| program.run_with_environment(&["show", "prompt-v2", "--where", filter], &environment);
    let phrase = asked("slower than 2s");
    assert_eq!(phrase.code, Some(0), "{phrase}");
    is_refused(&asked("scores.Factualty < 1"), &["did you mean `Factuality`?"]);
}

#[test]
fn the_settings_of_the_project_name_the_endpoint() {
    let program = Program::new();
    assert_eq!(program.run(&["import", "runs", "--project", "support-assistant", "--quiet"]).code, Some(0));
    let endpoint = Endpoint::saying("error is not null");
    for (name, value) in [("base_url", endpoint.url.as_str()), ("model", "own-model"), ("api_key_variable", "OWN_KEY")]
    {
        let set = program.run(&["settings", "support-assistant", "set", &format!("language_model.{name}"), value]);
        assert_eq!(set.code, Some(0), "{set}");
    }
    let asked = ["show", "prompt-v2", "--where", PHRASE];
    let output = program.run_with_environment(&asked, &[("OWN_KEY", "own"), ("EVALHOUSE_LLM_API_KEY", "other")]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stderr.contains("where: error is not null  (by own-model)"), "{output}");
    assert_eq!(endpoint.asked.join().unwrap().key.as_deref(), Some("Bearer own"));
}
