//! `cargo xtask demo`: from a fresh checkout to a picture in the browser.
//!
//! Reads top to bottom as what a newcomer would do by hand: install, build, start, publish, watch.

mod encoder;
mod gateway;
mod greeting;
mod latency;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::install;
use crate::interrupt::Interrupts;
use crate::process::{self, Output, Running};
use crate::web;
use crate::workspace::{GATEWAY_VARIABLE, Workspace};
use encoder::Picture;
use greeting::{Encoder, greeting};
use latency::Latency;

/// How the demo differs from its default.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave the encoder to the user: print its settings instead of starting one.
    #[arg(long)]
    no_publish: bool,
    /// Where the gateway listens for encoders [default: the configuration's, port 1935].
    #[arg(long, value_name = "ADDR:PORT")]
    rtmp_listen: Option<SocketAddr>,
    /// Where the gateway listens for players [default: the configuration's, port 8080].
    #[arg(long, value_name = "ADDR:PORT")]
    http_listen: Option<SocketAddr>,
}

/// The default configuration's ports, to say early and plainly when one is taken.
const DEFAULT_RTMP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 1935);
const DEFAULT_HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);

/// How often the children are looked after.
const WATCH: Duration = Duration::from_millis(100);

/// Time for the encoder to send its farewell.
const ENCODER_GRACE: Duration = Duration::from_secs(5);

/// Runs until Ctrl-C, which is success, or until the gateway or the encoder fails.
pub(crate) fn run(
    options: &Options,
    workspace: &Workspace,
    interrupts: &Interrupts,
) -> anyhow::Result<()> {
    gateway::ensure_free("--rtmp-listen", options.rtmp_listen.unwrap_or(DEFAULT_RTMP))?;
    gateway::ensure_free("--http-listen", options.http_listen.unwrap_or(DEFAULT_HTTP))?;
    if !options.no_publish {
        install::install(install::ENCODER)?;
    }
    let mut serve = serve_command(workspace, interrupts)?;
    for (flag, listen) in [
        ("--rtmp-listen", options.rtmp_listen),
        ("--http-listen", options.http_listen),
    ] {
        if let Some(listen) = listen {
            serve.arg(flag).arg(listen.to_string());
        }
    }

    let (mut gateway, listening) = gateway::start(&mut serve, interrupts)?;
    let picture = if options.no_publish {
        Picture::Plain
    } else {
        Picture::probe()
    };
    let mut publish = encoder::command(picture, &listening.publish_url());
    let mut encoder = None;
    if !options.no_publish {
        encoder = Some(Running::start("encoder", &mut publish, Output::Named)?);
    }
    let whose = match encoder {
        Some(_) => Encoder::Ours,
        None => Encoder::Users(process::line_of(&publish)),
    };
    println!("{}", greeting(&listening, &whose));

    let mut measured = None;
    while interrupts.wait(WATCH).is_ok() {
        if measured.is_none() {
            measured = Latency::measure(&listening.http_authority());
            if let Some(latency) = &measured {
                println!("{latency}\n");
            }
        }
        gateway.ensure_running()?;
        if let Some(encoder) = &mut encoder {
            encoder.ensure_running()?;
        }
    }

    println!("\nstopping; Ctrl-C again to end at once");
    if let Some(encoder) = encoder {
        // ffmpeg answers SIGTERM with an exit status of its own liking.
        encoder.stop(ENCODER_GRACE, interrupts)?;
    }
    let status = gateway.stop(gateway::GRACE, interrupts)?;
    ensure!(
        status.success(),
        "the gateway was asked to end and did so with {status}"
    );
    Ok(())
}

/// The gateway's command, built first unless the environment names a built one.
fn serve_command(workspace: &Workspace, interrupts: &Interrupts) -> anyhow::Result<Command> {
    let binary = match std::env::var_os(GATEWAY_VARIABLE) {
        Some(binary) => binary.into(),
        None => {
            web::build_if_possible(&workspace.web(), interrupts)?;
            println!("building the gateway");
            process::run(
                &mut workspace.cargo(["build", "--release", "-p", "forebay"]),
                interrupts,
            )
            .context("the gateway does not build")?;
            workspace.gateway()
        }
    };
    let mut command = Command::new(binary);
    command.arg("serve");
    Ok(command)
}
