//! `evalhouse trace`

use super::{Program, check};

#[test]
fn a_trace_is_a_tree() {
    let program = Program::with_bundled_data();
    check("trace", program.run(&["trace", "baseline", "f0040972", "--project", "support-assistant"]));
    check("trace_full", program.run(&["trace", "support-assistant/baseline", "f0040972", "--full"]));
    check(
        "trace_json",
        program.run(&["trace", "support-assistant/baseline", "f0040972", "--format", "json"]).rounded(),
    );
}

#[test]
fn an_unknown_case_is_the_users() {
    check("trace_unknown", Program::with_bundled_data().run(&["trace", "prompt-v2", "no-such-case"]));
}
