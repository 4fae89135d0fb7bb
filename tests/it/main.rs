//! All tests of the built binary and of the repository, in one test binary: one link, one pool of test threads. `common`
//! starts the testbed and runs the action as the runner does.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test may panic, print and look at the clock; its builder is shared with other tests"
)]

mod common;

mod bad_input_aws;
mod bad_input_definition;
mod bad_input_edge;
mod bad_input_setup;
mod bad_input_size;
mod bad_input_traffic;
mod branches;
mod compare;
mod container;
mod credentials;
mod deploy;
mod deploy_cancel;
mod deploy_content;
mod deploy_failures;
mod deploy_kill;
mod deploy_meanwhile;
mod deploy_trouble;
mod docs;
mod doctor;
mod examples;
mod failure_logs;
mod github;
mod github_traffic;
mod going_live;
mod invariants;
mod layers;
mod pace;
mod policies;
mod post_reached;
mod promote;
mod promote_copy;
mod promote_kill;
mod promote_scaling;
mod promote_trouble;
mod random_pairs;
mod redirect;
mod redirect_cancel;
mod redirect_kill;
mod redirect_kill_back;
mod redirect_others;
mod redirect_steps;
mod redirect_trouble;
mod redirect_walk;
mod rollback;
mod routing;
mod runner;
mod scaling_alarms;
mod scaling_load;
mod secrets;
mod signals;
mod starter;
mod status;
mod traffic_told;
mod two_runs;
mod whole_life;
mod wire;
