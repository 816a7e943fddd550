//! NetConnection commands (RTMP 1.0 §7.2.1): `connect` and `createStream`.

use super::capabilities::OnReconnectRequest;
use super::command::Command;
use super::reply::Answer;
use super::{Session, address};
use crate::{Error, Query, presentable};

/// What `connect` said. No `Debug`: path and `tcUrl` may hold the key.
pub(super) struct Application {
    /// The application's path; the publish name may still be part of it.
    pub(super) path: String,
    pub(super) query: Option<Query>,
    pub(super) tc_url: Option<String>,
    pub(super) encoder: Option<String>,
    pub(super) on_reconnect_request: OnReconnectRequest,
}

impl Session {
    /// Every field is optional and may be of any type; what is not a string counts as missing.
    pub(super) fn connect(&mut self, command: &Command, at: u64) -> Result<(), Error> {
        if self.application.is_some() {
            self.replies
                .connect_rejected(command, "this connection is connected already");
            return Ok(());
        }
        let (tc_url, url_query) = match command.property("tcUrl").map(address::cut_query) {
            Some((url, query)) => (Some(url), query),
            None => (None, None),
        };
        let (app, app_query) = address::cut_query(command.property("app").unwrap_or_default());
        let path = if app.is_empty() {
            tc_url.map_or("", address::url_path)
        } else {
            app
        };
        if let Err(source) = address::check_application(path) {
            self.replies.connect_rejected(command, &source.to_string());
            return Err(Error::Name { at, source });
        }
        let query = app_query.or(url_query);
        self.check_query(query.as_ref(), at)?;
        self.application = Some(Application {
            path: path.to_owned(),
            query,
            tc_url: tc_url
                .filter(|url| url.len() <= self.limits.query_bytes)
                .map(str::to_owned),
            encoder: command.property("flashVer").and_then(presentable),
            on_reconnect_request: OnReconnectRequest::of(command),
        });
        self.replies.connected(command);
        Ok(())
    }

    pub(super) fn create_stream(&mut self, command: &Command) {
        if self.application.is_none() {
            self.replies
                .error(command, "connect before creating a stream");
            return;
        }
        match self.streams.create() {
            Some(id) => self.replies.result(command, Answer::Number(id.into())),
            None => {
                let limit = self.limits.net_streams;
                let text = format!("a connection has at most {limit} message streams");
                self.replies.error(command, &text);
            }
        }
    }

    pub(super) fn check_query(&self, query: Option<&Query>, at: u64) -> Result<(), Error> {
        let found = query.map_or(0, |query| query.reveal().len());
        if found > self.limits.query_bytes {
            return Err(Error::Limit {
                at,
                what: "bytes in a query string",
                found: found as u64,
                limit: self.limits.query_bytes as u64,
            });
        }
        Ok(())
    }
}
