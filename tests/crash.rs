//! A killed import: the store opens, holds whole experiments only, and importing again completes it.
//!
//! `EVALHOUSE_KILLS` sets the number of kills (default 12).

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::analysis::bundled_data;

/// Rows and spans of each bundled experiment, as `data/README.md` lists them.
const WHOLE: &str = "baseline,506,3884\ncheaper-model,506,3888\nprompt-v2,508,3895\nprompt-v3,508,3902";
const COUNTS: &str =
    "select experiment, sum(case when is_root then 1 else 0 end), count(*) from spans group by 1 order by 1";

fn program(store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evalhouse"));
    command.arg("--store").arg(store);
    command
}

fn import(store: &Path) -> Command {
    let mut command = program(store);
    command.args(["--quiet", "import", "--project", "p"]).arg(bundled_data());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The experiments that SQL sees, or nothing when there is no store yet.
fn counts(store: &Path) -> Option<String> {
    let output = program(store).args(["--format", "csv", "--quiet", "sql", COUNTS]).output().unwrap();
    if output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("no evalhouse store") {
        return None;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().skip(1).collect::<Vec<_>>().join("\n"))
}

#[test]
fn killed_imports_leave_whole_experiments() {
    let kills: u64 = std::env::var("EVALHOUSE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let folder = tempfile::tempdir().unwrap();
    let started = std::time::Instant::now();
    assert!(import(&folder.path().join("timing")).status().unwrap().success());
    let whole_run = started.elapsed();
    for kill in 0..kills {
        let store = folder.path().join(format!("store-{kill}"));
        let mut running = import(&store).spawn().unwrap();
        // Moments spread over the whole run and a little beyond.
        let moment = whole_run.as_micros() as u64 * (kill * 37 % kills + 1) / kills;
        std::thread::sleep(Duration::from_micros(moment));
        let _ = running.kill();
        running.wait().unwrap();
        if let Some(found) = counts(&store) {
            let missing = found.lines().filter(|line| !WHOLE.contains(line)).collect::<Vec<_>>();
            assert!(missing.is_empty(), "killed after {moment} µs: partial {missing:?}");
        }
        assert!(import(&store).status().unwrap().success(), "importing again after a kill at {moment} µs");
        assert_eq!(counts(&store).unwrap(), WHOLE, "killed after {moment} µs");
    }
}
