//! A service and keys in; addresses for sources, objects and times out.

use std::{ffi::c_void, net::Ipv6Addr, ops::ControlFlow, sync::Arc};

use client::{Selector as Inner, connect::ConnectError, source::source_for};
use ssa_common::rule::{Key, Request, object_id};

use crate::{
    border::{In, Out, Text, exports},
    failure::{Failure, Message, Status, make},
    service::Service,
};

/// The most keys of a ring: far more than any filter has.
const MOST_KEYS: usize = 4096;

/// What computes addresses.
pub(crate) struct Selector(pub(crate) Arc<Inner>);

/// A key, as it crosses.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct KeyOfC {
    number: u32,
    secret: [u8; 16],
}

/// What is told of a search; anything but 0 ends it.
pub(crate) type Progress = extern "C" fn(u64, *mut c_void) -> i32;

impl From<KeyOfC> for Key {
    fn from(KeyOfC { number, secret }: KeyOfC) -> Self {
        Self { number, secret }
    }
}

/// The selector, which C may have left out.
pub(crate) fn given(selector: Option<&Selector>) -> Result<&Arc<Inner>, Failure> {
    selector.map(|selector| &selector.0).ok_or_else(|| Failure::null("selector"))
}

/// The id of an object, if one is wanted.
pub(crate) fn wanted(object: In<'_, [u8; 16]>) -> Option<u128> {
    object.optional().map(u128::from_be_bytes)
}

exports! {
    fn ssa_selector_new(
        service: Option<&Service>,
        keys: In<'_, KeyOfC>,
        key_count: usize,
        selector: Out<'_, Option<Box<Selector>>>,
        message: Out<'_, Message>,
    ) -> Status {
        make((selector, "selector"), message, || {
            let service = service.ok_or_else(|| Failure::null("service"))?;
            let keys: Vec<Key> = keys.several(key_count, MOST_KEYS, "keys")?.into_iter().map(Key::from).collect();
            Ok(Some(Box::new(Selector(Arc::new(Inner::new(&service.inner, &keys)?)))))
        })
    }

    fn ssa_selector_free(selector: Option<Box<Selector>>) -> () {
        drop(selector);
    }

    fn ssa_selector_replicas(selector: Option<&Selector>) -> u32 {
        selector.map_or(0, |selector| selector.0.replicas())
    }

    fn ssa_object_id(text: Text<'_>, object: Out<'_, [u8; 16]>, message: Out<'_, Message>) -> Status {
        make((object, "id"), message, || {
            object_id(text.get("text")?).map(u128::to_be_bytes).map_err(Failure::invalid)
        })
    }

    fn ssa_selector_address(
        selector: Option<&Selector>,
        source: In<'_, [u8; 16]>,
        object: In<'_, [u8; 16]>,
        replica: u32,
        time: u64,
        progress: Option<Progress>,
        context: *mut c_void,
        address: Out<'_, [u8; 16]>,
        message: Out<'_, Message>,
    ) -> Status {
        make((address, "address"), message, || {
            let source = u128::from_be_bytes(source.get("source")?);
            let request = Request { source, object: wanted(object), replica, time };
            let mut go_on = |attempts| match progress {
                Some(progress) if progress(attempts, context) != 0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            };
            Ok(given(selector)?.address_for(&request, &mut go_on)?.octets())
        })
    }

    fn ssa_selector_epoch_end(selector: Option<&Selector>, time: u64) -> u64 {
        selector.map_or(0, |selector| selector.0.epoch_end(time).unwrap_or(u64::MAX))
    }

    fn ssa_selector_valid_until(selector: Option<&Selector>, time: u64) -> u64 {
        selector.map_or(0, |selector| selector.0.valid_until(time).unwrap_or(u64::MAX))
    }

    fn ssa_source_for(
        destination: In<'_, [u8; 16]>,
        source: Out<'_, [u8; 16]>,
        message: Out<'_, Message>,
    ) -> Status {
        make((source, "source"), message, || {
            let destination = Ipv6Addr::from(destination.get("destination")?);
            let no_route = |error| ConnectError::NoRoute { to: destination, error };
            Ok(source_for(destination).map_err(no_route)?.octets())
        })
    }
}
