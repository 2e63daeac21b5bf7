//! Generated pages are current: `make docs` writes what these tests compare.

use std::path::Path;
use std::process::Command;

#[test]
fn generated_pages_are_current() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_evalhouse");
    let output = Command::new(program).arg("generate-docs").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for page in ["functions.md", "cli.md", "openapi.json"] {
        let fresh = std::fs::read_to_string(folder.path().join(page)).unwrap();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
        let kept = std::fs::read_to_string(kept).unwrap_or_default();
        assert!(fresh == kept, "docs/{page} is out of date: run `make docs`");
    }
}
