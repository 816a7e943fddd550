//! What the demo says once it runs: where to watch, where to publish, where to ask.

use super::encoder::{APP, NAME};
use super::gateway::Listening;

/// Who publishes.
#[derive(Debug)]
pub(super) enum Encoder {
    /// The demo does.
    Ours,
    /// The user will; the command line that would do.
    Users(String),
}

/// The whole text.
pub(super) fn greeting(listening: &Listening, encoder: &Encoder) -> String {
    let server = listening.rtmp_server();
    let rows = [
        ("Watch", listening.http_url(&format!("/watch/{APP}/{NAME}"))),
        (
            "Low latency",
            listening.http_url(&format!("/{APP}/{NAME}/llhls.m3u8")),
        ),
        (
            "Classic",
            listening.http_url(&format!("/{APP}/{NAME}/index.m3u8")),
        ),
        ("What is live", listening.http_url("/")),
        ("API", listening.http_url("/api/v1/streams")),
    ];
    let rows: String = rows
        .iter()
        .map(|(label, value)| format!("  {label:<13} {value}\n"))
        .collect();
    let publish = match encoder {
        Encoder::Ours => format!(
            "A test picture is published as {APP}/{NAME}. To publish your own beside it:\n\n  \
             OBS           Server: {server}\n                \
             Stream key: any other name; watch it at {}\n",
            listening.http_url(&format!("/watch/{APP}/NAME"))
        ),
        Encoder::Users(line) => format!(
            "Nobody publishes yet. Publish with\n\n  \
             OBS           Server: {server}\n                \
             Stream key: {NAME}\n\n  \
             a test picture\n    {line}\n\n  \
             a file\n    ffmpeg -re -i FILE -c copy -f flv {}\n",
            listening.publish_url()
        ),
    };
    format!("\nForebay is running.\n\n{rows}\n{publish}\nCtrl-C ends it.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening() -> Listening {
        Listening::on("0.0.0.0:1935", "0.0.0.0:8080")
    }

    #[test]
    fn with_our_encoder() {
        let expected = "
Forebay is running.

  Watch         http://localhost:8080/watch/live/demo
  Low latency   http://localhost:8080/live/demo/llhls.m3u8
  Classic       http://localhost:8080/live/demo/index.m3u8
  What is live  http://localhost:8080/
  API           http://localhost:8080/api/v1/streams

A test picture is published as live/demo. To publish your own beside it:

  OBS           Server: rtmp://localhost:1935/live
                Stream key: any other name; watch it at http://localhost:8080/watch/live/NAME

Ctrl-C ends it.
";
        assert_eq!(greeting(&listening(), &Encoder::Ours), expected);
    }

    #[test]
    fn with_the_users_encoder() {
        let expected = "
Forebay is running.

  Watch         http://localhost:8080/watch/live/demo
  Low latency   http://localhost:8080/live/demo/llhls.m3u8
  Classic       http://localhost:8080/live/demo/index.m3u8
  What is live  http://localhost:8080/
  API           http://localhost:8080/api/v1/streams

Nobody publishes yet. Publish with

  OBS           Server: rtmp://localhost:1935/live
                Stream key: demo

  a test picture
    ffmpeg LINE

  a file
    ffmpeg -re -i FILE -c copy -f flv rtmp://localhost:1935/live/demo

Ctrl-C ends it.
";
        assert_eq!(
            greeting(&listening(), &Encoder::Users("ffmpeg LINE".into())),
            expected
        );
    }
}
