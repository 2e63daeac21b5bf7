//! The log on a real disk, and the rules of merging against a plain implementation.

mod log;
mod merging;
mod splitting;
