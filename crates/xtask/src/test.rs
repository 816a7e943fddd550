//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to learn
//! that something does not. `.ci/run` is this and nothing else.

use std::process::Command;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::interrupt::{Interrupted, Interrupts};
use crate::web::{self, Npm};
use crate::workspace::{GATEWAY_VARIABLE, Workspace};
use crate::{arrows, current_ffmpeg, deny, install, process};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run one part alone.
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Rust sources are formatted.
    Fmt,
    /// The pages: lint, build, tests.
    Web,
    /// Lints, warnings as errors.
    Clippy,
    /// Which crate may know which, and the shape of source files.
    Arrows,
    /// Licences, sources and duplicates of what is built in; known vulnerabilities where their list can be had.
    Deny,
    /// Unit, property, corpus, end-to-end and browser tests.
    Test,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Fmt,
        Self::Web,
        Self::Clippy,
        Self::Arrows,
        Self::Deny,
        Self::Test,
    ];

    fn steps(self) -> &'static [Step] {
        match self {
            Self::Fmt => &[Step::Format],
            Self::Web => &[
                Step::NodeModules,
                Step::WebLint,
                Step::WebBuild,
                Step::WebTest,
            ],
            Self::Clippy => &[Step::Clippy],
            Self::Arrows => &[Step::Arrows],
            Self::Deny => &[Step::Dependencies],
            Self::Test => &[
                Step::NodeModules,
                Step::WebBuild,
                Step::Programs,
                Step::Gateway,
                Step::Tests,
            ],
        }
    }
}

/// One line of the output: what ran, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Format,
    NodeModules,
    WebLint,
    WebBuild,
    WebTest,
    Clippy,
    Arrows,
    Dependencies,
    Programs,
    Gateway,
    Tests,
}

/// Runs the steps; the first that fails is the last that runs.
pub(crate) fn run(
    options: &Options,
    workspace: &Workspace,
    interrupts: &Interrupts,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    for step in steps(options.only) {
        let name = step.name();
        println!("=== {name}");
        let step_begun = Instant::now();
        let result = step.run(workspace, interrupts);
        let took = seconds(step_begun.elapsed());
        match result {
            Ok(()) => println!("=== {name}: passed in {took}"),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                return Err(error.context(format!("{name}: failed after {took}")));
            }
        }
    }
    println!("=== all passed in {}", seconds(begun.elapsed()));
    Ok(())
}

/// The steps of one part, or of all; what two parts need is done once, for the first.
fn steps(only: Option<Part>) -> Vec<Step> {
    let parts = only.map_or(Part::ALL.to_vec(), |part| vec![part]);
    let mut steps = Vec::new();
    for step in parts.iter().flat_map(|part| part.steps()) {
        if !steps.contains(step) {
            steps.push(*step);
        }
    }
    steps
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::NodeModules => "web dependencies",
            Self::WebLint => "web lint",
            Self::WebBuild => "web build",
            Self::WebTest => "web tests",
            Self::Clippy => "clippy",
            Self::Arrows => "arrows",
            Self::Dependencies => "dependencies",
            Self::Programs => "encoders, players, browser",
            Self::Gateway => "release build",
            Self::Tests => "cargo test",
        }
    }

    fn run(self, workspace: &Workspace, interrupts: &Interrupts) -> anyhow::Result<()> {
        let cargo = |mut command| process::run(&mut command, interrupts);
        let web = workspace.web();
        match self {
            Self::Format => cargo(workspace.cargo(["fmt", "--all", "--check"])),
            Self::NodeModules => match Npm::find() {
                Npm::Present => web::install_dependencies(&web, interrupts),
                Npm::Missing(why) => bail!(why),
            },
            Self::WebLint => web::run_script(&web, "lint", interrupts),
            Self::WebBuild => web::build(&web, interrupts),
            Self::WebTest => web::run_script(&web, "test", interrupts),
            Self::Clippy => cargo(workspace.cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])),
            Self::Arrows => arrows::check(workspace),
            Self::Dependencies => deny::check(workspace, interrupts),
            Self::Programs => {
                install::install(install::ENCODERS_AND_PLAYERS)?;
                current_ffmpeg::install(workspace, interrupts)
            }
            Self::Gateway => cargo(workspace.cargo(["build", "--release", "-p", "forebay"])),
            Self::Tests => {
                // Nearly all of what is tested is waited for: segments last two seconds.
                let most = available_parallelism().map_or(2, |cores| 3 * cores.get());
                let mut others = tests(workspace, &["--lib", "--bins", "--test", "[!b]*"]);
                others.env("RUST_TEST_THREADS", most.to_string());
                // A browser has enough to do with pictures.
                let browsers = tests(workspace, &["--test", "browser*"]);
                // The second runs whatever became of the first.
                let results = [cargo(others), cargo(browsers)];
                let all: anyhow::Result<()> = results.into_iter().collect();
                all.context("see the lines of the failed tests above")
            }
        }
    }
}

/// These targets of the whole workspace: of a part of it, dependencies would be built anew with other features.
fn tests(workspace: &Workspace, targets: &[&str]) -> Command {
    let mut command = workspace.cargo(["test", "--workspace", "--no-fail-fast"]);
    command.args(targets);
    command.env(GATEWAY_VARIABLE, workspace.gateway());
    command
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_and_the_gateway_are_built_before_the_tests_that_use_them() {
        for only in [None, Some(Part::Test)] {
            let steps = steps(only);
            let position = |step| steps.iter().position(|other| *other == step).unwrap();
            assert!(position(Step::NodeModules) < position(Step::WebBuild));
            assert!(position(Step::WebBuild) < position(Step::Gateway));
            assert!(position(Step::Gateway) < position(Step::Tests));
        }
    }

    #[test]
    fn the_cheap_parts_come_first_and_nothing_is_done_twice() {
        let expected = [
            Step::Format,
            Step::NodeModules,
            Step::WebLint,
            Step::WebBuild,
            Step::WebTest,
            Step::Clippy,
            Step::Arrows,
            Step::Dependencies,
            Step::Programs,
            Step::Gateway,
            Step::Tests,
        ];
        assert_eq!(steps(None), expected);
    }
}
