//! Damaged files: none may crash a reader, hang it, or give spans that do not fit together.

use std::time::{Duration, Instant};

use fastrand::Rng;
use rawzip::CompressionMethod;

use super::files::{all, inspect_archive, zip};
use super::{Files, check_texts};
use crate::discover::discover;
use crate::load::Stop;

const PER_SAMPLE: u64 = 400;
/// A damaged file is small; a reader that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(20);

/// Values of other types, odd numbers, deep nesting, bad texts.
const ODD: [&str; 16] = [
    "null",
    "true",
    "NaN",
    "-Infinity",
    "1e999",
    "-1",
    "18446744073709551616",
    "\"\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[[]]]",
    "{\"a\":{\"a\":1}}",
    "\"../../x\"",
    "'x'",
    "\"2025-99-99\"",
];

fn mutate(random: &mut Rng, text: &mut Vec<u8>) {
    let at = random.usize(..text.len().max(1));
    match random.usize(..9) {
        0 => text[at] ^= 1 << random.usize(..8),
        1 => text[at] = random.u8(..),
        2 => text.truncate(at),
        3 => drop(text.drain(at..(at + 1 + random.usize(..60)).min(text.len()))),
        4 => drop(text.splice(at..at, [b"{[]}\",\n\\:"[random.usize(..9)]])),
        5 => {
            let end = (at + 1 + random.usize(..200)).min(text.len());
            let copy = text[at..end].to_vec();
            let to = random.usize(..text.len().max(1));
            drop(text.splice(to..to, copy));
        }
        6 => drop(text.splice(at..at, b"[".repeat(100_000))),
        // Most damage that matters is a value of another type.
        _ => {
            let Some(colon) = text[at..].iter().position(|&byte| byte == b':').map(|offset| at + offset + 1) else {
                return;
            };
            let length = text[colon..].iter().position(|byte| matches!(byte, b',' | b'}' | b'\n')).unwrap_or(0);
            drop(text.splice(colon..colon + length, ODD[random.usize(..ODD.len())].bytes()));
        }
    }
    if text.is_empty() {
        text.push(b' ');
    }
}

#[track_caller]
fn assert_survives(files: &[(&str, &[u8])], seed: u64) {
    let begin = Instant::now();
    let (format, collected) = Files::new(files).read();
    assert!(begin.elapsed() < LONGEST, "{format} seed {seed} took {:?}", begin.elapsed());
    match collected {
        Ok(collected) => {
            for fault in &collected.faults {
                assert!(!fault.message.is_empty() && !fault.message.contains("internal"), "{format} {seed}: {fault}");
            }
            // Whether spans fit together is the store's to tell, and it does so with the place.
            collected.experiments.iter().for_each(check_texts);
        }
        Err(Stop::Fault(fault)) => {
            assert!(!fault.message.is_empty() && fault.message.len() < 2_000, "{format} {seed}: {fault}");
            assert!(!fault.message.contains("internal"), "{format} {seed}: {fault}");
        }
        Err(_) => panic!("{format} {seed}: stopped"),
    }
}

#[test]
fn damaged_files_are_read_or_refused() {
    for (number, sample) in all().into_iter().enumerate() {
        for seed in 0..PER_SAMPLE {
            let mut random = Rng::with_seed(seed << 8 | number as u64);
            let mut files = sample.files.clone();
            let damaged = random.usize(..files.len());
            for _ in 0..1 + random.usize(..3) {
                mutate(&mut random, &mut files[damaged].1);
            }
            let files: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (*n, c.as_slice())).collect();
            assert_survives(&files, seed);
        }
    }
}

/// A log whose archive is sound and whose members are not.
#[test]
fn damaged_members_of_an_archive_are_skipped_or_refused() {
    let sample = super::files::INSPECT;
    for seed in 0..PER_SAMPLE {
        let mut random = Rng::with_seed(seed);
        let (head, samples) = sample.split_once(",\"samples\":[\n").unwrap();
        let mut members = vec![("header.json", format!("{head}}}").into_bytes(), CompressionMethod::DEFLATE)];
        for (name, text) in ["samples/a", "samples/b.json", "samples/c.json"].into_iter().zip(samples.split(",\n")) {
            members.push((name, text.as_bytes().to_vec(), CompressionMethod::ZSTD));
        }
        let damaged = random.usize(..members.len());
        mutate(&mut random, &mut members[damaged].1);
        assert_survives(&[("log.eval", &zip(&members))], seed);
    }
}

#[test]
fn an_archive_that_is_cut_off_says_so() {
    let archive = inspect_archive(true, CompressionMethod::ZSTD);
    let files = Files::new(&[("log.eval", &archive[..archive.len() / 2])]);
    let found = discover(&[files.folder.path().join("log.eval").display().to_string()]).unwrap();
    assert!(found.sources.is_empty());
    assert!(found.failed[0].reason.contains("[corrupt_compression]; it may be cut off"), "{:?}", found.failed);
}

#[test]
fn references_that_multiply_are_bounded() {
    // One long message, named by a hundred thousand ranges.
    let message = format!("{{\"role\":\"user\",\"content\":\"{}\"}}", "x".repeat(1 << 16));
    let ranges = "[0,1],".repeat(100_000);
    let sample = format!(
        r#"{{"id":1,"epoch":1,"input":"q","output":{{}},"events":[{{"event":"model","model":"m","input":[],"input_refs":[{}],"output":{{}}}}],"events_data":{{"messages":[{message}]}}}}"#,
        ranges.trim_end_matches(',')
    );
    let log = format!(r#"{{"version":2,"status":"success","eval":{{"eval_id":"e","task":"t"}},"samples":[{sample}]}}"#);
    let experiments = super::read_well(&[("log.json", log.as_bytes())], "inspect");
    let call = experiments[0].spans.iter().find(|span| span.span_type.as_deref() == Some("llm")).unwrap();
    assert!(call.input.as_ref().unwrap().len() < 100 << 20);
}
