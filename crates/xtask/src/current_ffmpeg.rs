//! A current ffmpeg for the tests of Enhanced RTMP, beside Debian's, which is too old for it: the one that the Python
//! package imageio-ffmpeg carries, in the checkout's `.tools`.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use crate::interrupt::Interrupts;
use crate::process;
use crate::workspace::Workspace;

/// Carries FFmpeg 9.0.2; another one may send other things.
const VERSION: &str = "0.8.1";

/// Puts it where `e2e::current_ffmpeg` looks for it, unless it is there.
pub(crate) fn install(workspace: &Workspace, interrupts: &Interrupts) -> anyhow::Result<()> {
    let tools = workspace.root().join(".tools");
    let (there, coming) = (tools.join("ffmpeg"), tools.join("ffmpeg.part"));
    if there
        .join(format!("imageio_ffmpeg-{VERSION}.dist-info"))
        .is_dir()
    {
        return Ok(());
    }
    let package = format!("imageio-ffmpeg=={VERSION}");
    println!("installing a current ffmpeg: {package}");
    // An older one, and whatever an interrupted run has left.
    for folder in [&there, &coming] {
        let _ = fs::remove_dir_all(folder);
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
        .arg(&coming)
        .args(["--disable-pip-version-check", &package]);
    process::run(&mut pip, interrupts).with_context(|| format!("{package} cannot be installed"))?;
    fs::rename(&coming, &there).with_context(|| format!("cannot make {}", there.display()))
}
