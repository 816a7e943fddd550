//! What a fresh Debian lacks, and how it gets there.
//!
//! Each need is proved by what will be used (a program on the path, a GStreamer element), not by
//! the package database: a machine that has it from elsewhere is left alone.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// A Debian package and the proof that its content is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    package: &'static str,
    proof: Proof,
}

#[derive(Debug, Clone, Copy)]
enum Proof {
    Program(&'static str),
    GstElement(&'static str),
    PythonModule(&'static str),
    File(&'static str),
}

/// For `demo`.
pub(crate) const ENCODER: &[Need] = &[program("ffmpeg", "ffmpeg")];

/// For `test`: encoders, players, a browser with its driver.
pub(crate) const ENCODERS_AND_PLAYERS: &[Need] = &[
    program("ffmpeg", "ffmpeg"),
    program("ffmpeg", "ffprobe"),
    program("gstreamer1.0-tools", "gst-launch-1.0"),
    element("gstreamer1.0-plugins-base", "videotestsrc"),
    element("gstreamer1.0-plugins-good", "flvmux"),
    element("gstreamer1.0-plugins-bad", "rtmp2sink"),
    element("gstreamer1.0-plugins-ugly", "x264enc"),
    element("gstreamer1.0-libav", "avenc_aac"),
    program("curl", "curl"),
    program("chromium", "chromium"),
    program("chromium-driver", "chromedriver"),
    Need {
        package: "python3-pip",
        proof: Proof::PythonModule("pip"),
    },
];

/// For `bench`: the peer we measure ourselves against, the load, an encoder and a browser.
pub(crate) const PEERS_AND_LOAD: &[Need] = &[
    program("nginx", "nginx"),
    Need {
        package: "libnginx-mod-rtmp",
        proof: Proof::File("/usr/lib/nginx/modules/ngx_rtmp_module.so"),
    },
    program("wrk", "wrk"),
    program("ffmpeg", "ffmpeg"),
    program("chromium", "chromium"),
    program("chromium-driver", "chromedriver"),
];

/// A fresh machine often upgrades itself first, and holds the lock meanwhile. In seconds.
const PATIENCE: &[&str] = &["-o", "DPkg::Lock::Timeout=300"];

const fn program(package: &'static str, name: &'static str) -> Need {
    Need {
        package,
        proof: Proof::Program(name),
    }
}

const fn element(package: &'static str, name: &'static str) -> Need {
    Need {
        package,
        proof: Proof::GstElement(name),
    }
}

/// Installs the packages whose proof is missing; without apt says what to install by hand.
pub(crate) fn install(needs: &[Need]) -> anyhow::Result<()> {
    let missing = missing(needs, Proof::holds);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    ensure!(
        program_exists("apt-get"),
        "missing here, and there is no apt-get to install it: {list} (Debian's package names); \
         install it by hand and start again"
    );
    let prefix: &[&str] = if nix::unistd::geteuid().is_root() {
        &[]
    } else if program_exists("sudo") {
        &["sudo"]
    } else {
        bail!(
            "missing here, and neither root nor sudo to install it: run `apt-get install {list}` as root"
        );
    };
    println!("installing {list}");
    apt_get(prefix, &["update", "-q"])?;
    let install = ["install", "-q", "-y", "--no-install-recommends"];
    apt_get(prefix, &[&install, missing.as_slice()].concat())?;

    let still = self::missing(needs, Proof::holds);
    ensure!(
        still.is_empty(),
        "installed, and still not usable: {}",
        still.join(" ")
    );
    Ok(())
}

/// Whether a program of this name is on the path.
pub(crate) fn program_exists(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

impl Proof {
    fn holds(self) -> bool {
        match self {
            Self::Program(name) => program_exists(name),
            Self::File(path) => Path::new(path).is_file(),
            Self::GstElement(name) => succeeds("gst-inspect-1.0", &["--exists", name]),
            Self::PythonModule(name) => succeeds("python3", &["-c", &format!("import {name}")]),
        }
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The packages whose proof does not hold, each once, in the table's order.
fn missing(needs: &[Need], holds: impl Fn(Proof) -> bool) -> Vec<&'static str> {
    let mut packages: Vec<_> = needs
        .iter()
        .filter(|need| !holds(need.proof))
        .map(|need| need.package)
        .collect();
    packages.dedup();
    packages
}

/// In our own process group, unlike every other child: sudo asks for a password at the terminal.
fn apt_get(prefix: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    let words = [
        prefix,
        &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"],
        PATIENCE,
        arguments,
    ]
    .concat();
    let (program, rest) = words
        .split_first()
        .context("a command should have a program")?;
    let status = Command::new(program)
        .args(rest)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(
        status.success(),
        "`apt-get {}` ended with {status}",
        arguments.join(" ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_installed_and_named_once() {
        assert_eq!(missing(ENCODERS_AND_PLAYERS, |_| true), [""; 0]);
        let no_ffmpeg_no_rtmp2sink = |proof| {
            !matches!(
                proof,
                Proof::Program("ffmpeg" | "ffprobe") | Proof::GstElement("rtmp2sink")
            )
        };
        assert_eq!(
            missing(ENCODERS_AND_PLAYERS, no_ffmpeg_no_rtmp2sink),
            ["ffmpeg", "gstreamer1.0-plugins-bad"]
        );
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(program_exists("sh"));
        assert!(!program_exists("a-program-that-nobody-has"));
    }
}
