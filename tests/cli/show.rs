//! `evalhouse show`

use super::{Program, check};

#[test]
fn one_experiment_is_summed_up() {
    let program = Program::with_bundled_data();
    check("show", program.run(&["show", "prompt-v2"]));
    check("show_json", program.run(&["show", "prompt-v2", "--format", "json"]).rounded());
    check("show_where", program.run(&["show", "prompt-v2", "--where", "metadata.category = 'refunds'"]));
}

#[test]
fn rules_choose_too() {
    check("show_latest", Program::with_bundled_data().run(&["show", "latest"]));
}

#[test]
fn an_unknown_experiment_names_the_nearest() {
    check("show_unknown", Program::with_bundled_data().run(&["show", "prompt-v22"]));
}
