//! Thousands of damaged inputs: none may crash the reader, store half an experiment, or be refused
//! without a place.

use evalhouse_import::{Extent, ImportRequest};
use fastrand::Rng;

use super::{Sandbox, child, lines, read, root};

const INPUTS: u64 = 10_000;
/// Every so many inputs, the whole import runs, store and all.
const STORED_EVERY: u64 = 100;

/// A small file with one of everything.
fn original() -> Vec<u8> {
    let mut rows = Vec::new();
    for case in ["a", "b", "c"] {
        rows.push(root(case, r#","created":"2024-07-21T04:43:04.000Z","output":{"text":"é😀\n","n":[1,2.5e3,null]},"expected":null,"metadata":{"model":"m","deep":{"er":[{}]}},"tags":["t"],"span_attributes":{"name":"eval","type":"eval"},"scores":{"ok":1,"f":0.5,"none":null},"metrics":{"start":1.5,"end":2.5,"tokens":7}"#));
        rows.push(child(&format!("{case}-llm"), case, r#","span_attributes":{"name":"chat","type":"llm"},"metrics":{"prompt_tokens":12},"_xact_id":"1000191740992400000""#));
        rows.push(child(
            &format!("{case}-score"),
            case,
            r#","span_attributes":{"type":"score","purpose":"scorer"},"scores":{"ok":1.0},"extra_field":[true]"#,
        ));
    }
    lines(&rows)
}

/// Texts that replace values: other types, huge and odd numbers, deep nesting, bad strings.
fn odd_value(random: &mut Rng) -> Vec<u8> {
    let odd: [&[u8]; 18] = [
        b"null",
        b"true",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-0",
        b"123456789012345678901234567890",
        b"1e",
        b"\"\"",
        b"\"\\ud800\"",
        b"\"\\u00",
        b"\"\xFF\xFE\"",
        b"\"\x00\"",
        b"[]",
        b"{}",
        b"[[[]]]",
        b"{\"a\":{\"a\":1,\"a\":2}}",
        b"'x'",
    ];
    match random.usize(..20) {
        0 => [b"[".repeat(200), b"]".repeat(200)].concat(),
        1 => b"[".repeat(100_000),
        2 => [b"9".repeat(5_000).as_slice(), b".5"].concat(),
        _ => odd[random.usize(..odd.len())].to_vec(),
    }
}

fn mutate(random: &mut Rng, text: &mut Vec<u8>) {
    let at = random.usize(..text.len().max(1));
    match random.usize(..11) {
        0 => text[at] ^= 1 << random.usize(..8),
        1 => text[at] = random.u8(..),
        2 => text.truncate(at),
        3 => drop(text.drain(at..(at + 1 + random.usize(..40)).min(text.len()))),
        4 => drop(text.splice(at..at, {
            let odd = [b"{".as_slice(), b"}", b"[", b"]", b"\"", b",", b"\n", b"\\", b"\xC3", b"\r\n"];
            odd[random.usize(..odd.len())].to_vec()
        })),
        5 => change_value(random, text, at),
        6 => change_lines(random, text, |lines, from, to| lines.insert(to, lines[from].clone())),
        7 => change_lines(random, text, |lines, from, to| lines.swap(from, to)),
        8 => change_lines(random, text, |lines, from, _| drop(lines.remove(from))),
        9 => change_lines(random, text, |lines, from, to| {
            let joined = [lines[from].as_slice(), &lines[to]].concat();
            lines[from] = joined;
        }),
        _ => reshape(random, text),
    }
    if text.is_empty() {
        text.push(b' ');
    }
}

/// Puts an odd value behind the next colon.
fn change_value(random: &mut Rng, text: &mut Vec<u8>, at: usize) {
    let Some(colon) = text[at..].iter().position(|&byte| byte == b':').map(|offset| at + offset + 1) else { return };
    let length = text[colon..].iter().position(|byte| matches!(byte, b',' | b'}' | b'\n')).unwrap_or(0);
    text.splice(colon..colon + length, odd_value(random));
}

fn change_lines(random: &mut Rng, text: &mut Vec<u8>, change: impl Fn(&mut Vec<Vec<u8>>, usize, usize)) {
    let mut lines: Vec<Vec<u8>> = text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let (from, to) = (random.usize(..lines.len()), random.usize(..lines.len()));
    change(&mut lines, from, to);
    *text = lines.join(&b'\n');
}

/// Makes an array, a fetch page or a compressed file of lines.
fn reshape(random: &mut Rng, text: &mut Vec<u8>) {
    let rows = text.trim_ascii().split(|&byte| byte == b'\n').collect::<Vec<_>>().join(b",\n".as_slice());
    *text = match random.usize(..4) {
        0 => [b"[", rows.as_slice(), b"]"].concat(),
        1 => [b"{\"events\":[", rows.as_slice(), b"],\"cursor\":null}"].concat(),
        2 => zstd::encode_all(text.as_slice(), 1).unwrap(),
        _ => [b"[", rows.as_slice()].concat(),
    };
}

fn mutated(seed: u64) -> Vec<u8> {
    let mut random = Rng::with_seed(seed);
    let mut text = original();
    for _ in 0..1 + random.usize(..4) {
        mutate(&mut random, &mut text);
    }
    text
}

#[test]
fn damaged_inputs_are_read_or_refused_with_their_place() {
    let mut refused = 0;
    for seed in 0..INPUTS {
        let text = mutated(seed);
        let line_count = text.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        let is_plain = !text.starts_with(b"\x28\xB5\x2F\xFD");
        let (spans, faults) = read(text);
        refused += u64::from(!faults.is_empty());
        for fault in &faults {
            assert!(fault.line >= 1 && (!is_plain || fault.line <= line_count), "seed {seed}: {fault:?}");
            assert!(!fault.message.is_empty() && !fault.reason.is_empty(), "seed {seed}: {fault:?}");
            assert!(fault.message.len() < 500 && !fault.message.contains("internal"), "seed {seed}: {fault:?}");
        }
        let ends = faults.iter().filter(|fault| fault.extent != Extent::Row).count();
        assert!(ends <= 1, "seed {seed}: {faults:?}");
        for span in &spans {
            let texts = [&span.input, &span.output, &span.metadata, &span.span_attributes, &span.extra];
            for text in texts.into_iter().flatten() {
                let known = serde_json::from_str::<&serde_json::value::RawValue>(text);
                assert!(known.is_ok() && !text.contains('\n'), "seed {seed}: {text}");
            }
            assert!(span.scores.iter().all(|(_, score)| score.is_none_or(f64::is_finite)), "seed {seed}");
        }
    }
    assert!((INPUTS / 4..INPUTS).contains(&refused), "{refused} of {INPUTS} were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_inputs_are_stored_whole_or_not_at_all() {
    for seed in (0..INPUTS).step_by(STORED_EVERY as usize) {
        let text = mutated(seed);
        let row_count = read(text.clone()).0.len() as i64;
        let sandbox = Sandbox::new(&[("run.jsonl", &text)]).await;

        let report = sandbox.import(&["run.jsonl"]).await;
        let stored = sandbox.experiments().await;
        assert_eq!(stored.is_empty(), report.imported.is_empty(), "seed {seed}: {report:?}");
        assert_eq!(report.imported.is_empty(), !report.failed.is_empty(), "seed {seed}: {report:?}");
        for file in &report.failed {
            let line = file.reason.strip_prefix("run.jsonl:").and_then(|rest| rest.split(':').next());
            assert!(line.is_some_and(|line| line.parse().is_ok_and(|line: u64| line > 0)), "seed {seed}: {file:?}");
        }
        let dropped = |word: &str| report.imported.iter().filter_map(|one| one.notes.get(word)).sum::<i64>();
        if !stored.is_empty() {
            let spans: i64 = stored.iter().map(|one| one.spans).sum();
            let superseded = dropped("older_version") + dropped("repeated_row") + dropped("deleted");
            assert_eq!(spans + superseded, row_count, "seed {seed}: {report:?}");
        }

        let keep_going = ImportRequest { keep_going: true, project: Some("p".into()), ..Default::default() };
        let report = sandbox.import_with(&["run.jsonl"], keep_going).await.unwrap();
        let kept: i64 = sandbox.experiments().await.iter().map(|one| one.spans).sum();
        assert!(kept <= row_count && (kept > 0 || !report.failed.is_empty()), "seed {seed}: {report:?}");
    }
}
