//! A config, its key files and certificates in; what is given out by them, and another where one of them has changed, out.

use std::path::PathBuf;

use tokio_rustls::TlsAcceptor;

use super::{super::followed, Args, offer::Offer, tls};
use crate::{
    command::{
        followed::{Mark, Source},
        load_keys,
    },
    config::Config,
    context::Context,
    failure::Failure,
};

/// What is in force for those who ask.
pub(super) struct State {
    pub(super) offer: Offer,
    /// None: it speaks no TLS.
    pub(super) tls: Option<TlsAcceptor>,
}

/// What is read again when it changes.
pub(super) struct Follower<'a> {
    args: &'a Args,
    source: Source,
    /// Key files and certificates, and what told each from others when it was looked at last.
    files: Vec<(PathBuf, Option<Mark>)>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(context: &Context<'_>, args: &'a Args) -> Self {
        Self { args, source: Source::new(context, args.config.clone()), files: Vec::new() }
    }

    /// Reads all of it.
    pub(super) fn read(&mut self) -> Result<State, Failure> {
        let config = self.source.read()?;
        self.take(&config)
    }

    /// Reads all of it if a part is another. What is wrong is an error once, until it is another again.
    pub(super) fn changed(&mut self) -> Result<Option<State>, Failure> {
        let config = match self.source.changed()? {
            Some(config) => config,
            None if self.files.iter().all(|(path, mark)| followed::file(path).ok() == *mark) => return Ok(None),
            None => self.source.read()?,
        };
        self.take(&config).map(Some)
    }

    fn take(&mut self, config: &Config) -> Result<State, Failure> {
        let Args { service, tls_cert, tls_key, .. } = self.args;
        let keys = config.services.iter().flat_map(|service| &service.keys).map(|key| &key.file);
        // Before they are read: what changes meanwhile is looked at again.
        let files = keys.chain(tls_cert).chain(tls_key);
        self.files = files.map(|path| (path.clone(), followed::file(path).ok())).collect();
        let tls = match (tls_cert, tls_key) {
            (Some(certificates), Some(key)) => Some(tls::acceptor(certificates, key)?),
            _ => None,
        };
        Ok(State { offer: Offer::of(config, &load_keys(config)?, service.as_deref())?, tls })
    }
}
