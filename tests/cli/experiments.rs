//! `evalhouse experiments`

use super::{Program, check};

#[test]
fn experiments_are_listed_newest_first() {
    let program = Program::with_bundled_data();
    check("experiments", program.run(&["experiments"]));
    check("experiments_json", program.run(&["experiments", "--format", "json"]).rounded());
    check("experiments_markdown", program.run(&["experiments", "--format", "markdown"]));
    check("experiments_where", program.run(&["experiments", "--where", "experiment LIKE 'prompt-%'"]));
}

#[test]
fn a_bad_filter_is_the_users() {
    check("experiments_bad_where", Program::with_bundled_data().run(&["experiments", "--where", "nonsense = 1"]));
}

#[test]
fn a_store_that_is_not_there_is_named() {
    check("experiments_no_store", Program::new().run(&["experiments", "--store", "./nothing-here"]));
}
