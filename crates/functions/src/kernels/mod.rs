//! The mathematics behind the functions: plain values in, plain values out, no engine types.

pub mod agreement;
pub mod binomial;
pub mod change_point;
pub mod clusters;
pub mod compensated;
pub mod components;
pub mod family;
pub mod field_survey;
pub mod fisher;
pub mod interval;
pub mod likeness;
pub mod mean_sample;
pub mod moments;
pub mod mover;
pub mod normal;
pub mod paired_sample;
pub mod random;
pub mod score_class;
pub mod sign_flip;
pub mod student_t;
pub mod trials;
pub mod two_means;
