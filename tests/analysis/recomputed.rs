//! The same comparisons by an independent program: `tests/reference/recompute.py`, plain Python and
//! scipy from the raw files. Skips, with a line that says so, where Python lacks scipy.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{bundled_data, compared, imported};

/// The interpreter that has scipy: `EVALHOUSE_PYTHON`, as the Makefile sets it, or `python3`.
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("EVALHOUSE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_scipy = Command::new(&python).args(["-c", "import scipy, zstandard"]).output();
    if has_scipy.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: `{python}` lacks scipy or zstandard; `make test` installs them");
    None
}

pub(crate) fn recompute(python: &str, arguments: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/recompute.py");
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Compares counts exactly and statistics to 1e-9.
pub(crate) fn assert_same(ours: &Value, theirs: &Value, what: &str) {
    for (name, count) in theirs["counts"].as_object().unwrap() {
        if let Some(own) = ours["counts"].get(name) {
            assert_eq!(own, count, "{what}: {name}");
        }
    }
    for (score, reference) in theirs["scores"].as_object().unwrap() {
        let own = &ours["scores"][score];
        for (name, expected) in reference.as_object().unwrap() {
            match (own.get(name), expected) {
                (Some(found), Value::Number(_)) => {
                    let (found, expected) = (found.as_f64(), expected.as_f64().unwrap());
                    let found = found.unwrap_or_else(|| panic!("{what}: {score}.{name} is missing"));
                    let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
                        || (found / expected - 1.0).abs() <= 1e-9;
                    assert!(close, "{what}: {score}.{name} is {found}, expected {expected}");
                }
                (Some(found), expected) => assert_eq!(found, expected, "{what}: {score}.{name}"),
                (None, _) => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bundled_pairs_agree_with_python() {
    let Some(python) = python() else { return };
    let session = imported(&bundled_data(), "support-assistant").await;
    let file = |name: &str| bundled_data().join(format!("{name}.jsonl.gz")).to_str().unwrap().to_string();
    for (base, candidate) in [("baseline", "prompt-v2"), ("baseline", "cheaper-model"), ("prompt-v2", "prompt-v3")] {
        for key in [None, Some("metadata.case_id")] {
            let (base_file, candidate_file) = (file(base), file(candidate));
            let mut arguments = vec![base_file.as_str(), candidate_file.as_str()];
            if let Some(key) = key {
                arguments.extend(["--key", key]);
            }
            let theirs = recompute(&python, &arguments);
            let ours = serde_json::to_value(compared(&session, base, candidate, key).await).unwrap();
            assert_same(&ours, &theirs, &format!("{base} against {candidate} by {key:?}"));
        }
    }
}
