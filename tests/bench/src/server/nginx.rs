//! nginx with its RTMP module, configured to its advantage: one worker (more would need to relay
//! publishes to each other), no access log, sendfile, everything on tmpfs.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::{LOG, PATIENCE, Process};
use crate::publisher::APP;
use crate::wait;

/// The folder of files served below a path of the same name.
pub(super) const STATIC: &str = "static";

pub(super) fn playlist(name: &str) -> String {
    format!("/hls/{name}.m3u8")
}

pub(super) fn start(folder: &Path) -> anyhow::Result<(Process, SocketAddr, SocketAddr)> {
    // nginx cannot be asked which port it took, so it is given ports that were free just now.
    let rtmp = free_address()?;
    let http = free_address()?;
    for name in ["hls", STATIC] {
        fs::create_dir(folder.join(name))?;
    }
    let configuration = folder.join("nginx.conf");
    fs::write(&configuration, text(folder, rtmp, http))?;
    let child = Command::new("nginx")
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&configuration)
        .args(["-e", "stderr"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join(LOG))?)
        .spawn()
        .context("cannot run nginx (Debian: nginx, libnginx-mod-rtmp)")?;
    let mut process = Process(child);
    wait::until("listening", PATIENCE, || {
        process.ensure_running(folder)?;
        let accepts = |address| TcpStream::connect(address).is_ok();
        Ok((accepts(rtmp) && accepts(http)).then_some(()))
    })?;
    Ok((process, rtmp, http))
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn text(folder: &Path, rtmp: SocketAddr, http: SocketAddr) -> String {
    let folder = folder.display();
    // A master that is root gives its worker another user, who could not write here.
    let user = if nix::unistd::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    format!(
        "\
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log stderr warn;
events {{
    worker_connections 4096;
}}
rtmp {{
    access_log off;
    server {{
        listen {rtmp};
        chunk_size 4096;
        application {APP} {{
            live on;
            hls on;
            hls_path {folder}/hls;
            hls_fragment 2s;
            hls_playlist_length 12s;
        }}
    }}
}}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{
        application/vnd.apple.mpegurl m3u8;
        video/mp2t ts;
    }}
    server {{
        listen {http};
        root {folder};
        location /{STATIC}/ {{
            open_file_cache max=16;
            open_file_cache_valid 60s;
        }}
    }}
}}
"
    )
}
