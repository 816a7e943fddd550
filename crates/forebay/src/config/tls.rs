//! Certificates for both miles, and what needs them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use ::tls::{Certificates, Files, names_of_this_host};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::Config;

/// Certificates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificates: Vec<Pair>,
}

/// Where a certificate and its key lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl From<Pair> for Files {
    fn from(Pair { certificate, key }: Pair) -> Self {
        Self { certificate, key }
    }
}

impl Config {
    /// The configured certificates; `None` without any.
    ///
    /// # Errors
    /// One cannot be used, or a listener has none to show.
    pub(crate) fn certificates(&self) -> Result<Option<Arc<Certificates>>> {
        let pairs = self.tls.certificates.clone();
        if !pairs.is_empty() {
            let loaded = Certificates::load(pairs.into_iter().map(Files::from));
            return Ok(Some(Arc::new(loaded.context("tls.certificates")?)));
        }
        for (key, listen) in [
            ("rtmp.tls_listen", self.rtmp.tls_listen),
            ("http.tls_listen", self.http.tls_listen),
        ] {
            if let Some(address) = listen {
                bail!(
                    "{key} is {address}, and tls.certificates is empty: name a certificate and its key there, or \
                     try it with serve --self-signed"
                );
            }
        }
        Ok(None)
    }

    /// A certificate made for this host, and listeners for both miles where none are configured.
    ///
    /// # Errors
    /// There are certificates already, or the port of such a listener is taken by another.
    pub(crate) fn self_signed(&mut self) -> Result<Arc<Certificates>> {
        if !self.tls.certificates.is_empty() {
            bail!("tls.certificates names certificates: leave out --self-signed, or those");
        }
        let anywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        self.rtmp.tls_listen.get_or_insert(anywhere(1936));
        self.http.tls_listen.get_or_insert(anywhere(8443));
        self.check_listeners()?;
        Ok(Arc::new(Certificates::self_signed(&names_of_this_host())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).expect(text)
    }

    #[test]
    fn without_certificates_there_is_no_tls() {
        assert!(Config::default().certificates().expect("good").is_none());
        let cases = [
            (
                "[http]\ntls_listen = '127.0.0.1:0'\n",
                "http.tls_listen is 127.0.0.1:0, and tls.certificates is empty: ",
            ),
            (
                "[rtmp]\ntls_listen = '127.0.0.1:0'\n",
                "rtmp.tls_listen is 127.0.0.1:0, and tls.certificates is empty: ",
            ),
        ];
        for (text, expected) in cases {
            let error = config(text).certificates().expect_err(expected);
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_named() {
        let text = "[tls]\ncertificates = [{ certificate = '/none.pem', key = '/none.key' }]\n";
        let error = config(text).certificates().expect_err("no such file");
        let error = format!("{error:#}");
        assert!(
            error.starts_with("tls.certificates: cannot read /none.pem: No such file"),
            "{error}"
        );
        let error = config(text).self_signed().expect_err("one of both");
        assert!(error.to_string().contains("leave out --self-signed"));
    }

    #[test]
    fn a_self_signed_certificate_opens_what_is_not_configured() {
        let mut config = config("[http]\ntls_listen = '127.0.0.1:0'\n");
        config.self_signed().expect("good");
        let listeners = [config.rtmp.tls_listen, config.http.tls_listen];
        let expected = ["0.0.0.0:1936", "127.0.0.1:0"].map(|address| address.parse().ok());
        assert_eq!(listeners, expected);

        let mut taken = Config::default();
        taken.http.listen.set_port(1936);
        let error = taken.self_signed().expect_err("taken");
        assert_eq!(
            error.to_string(),
            "http.listen and rtmp.tls_listen both want port 1936"
        );
    }
}
