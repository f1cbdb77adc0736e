//! A selector and a wish in; sockets, connected and bound to the right source, out as file descriptors that block.

use std::{
    io,
    os::fd::{IntoRawFd as _, OwnedFd},
    time::Duration,
};

use client::connect::{ConnectError, Datagrams, Wish, tcp};
use tokio::{runtime, time::timeout};

use crate::{
    border::{In, Out, exports},
    failure::{Failure, Message, Status, make},
    selector::{Selector, given, wanted},
};

/// The word for any replica.
const ANY_REPLICA: u32 = u32::MAX;

/// A runtime of one thread: the caller's.
///
/// # Errors
/// Where the kernel gives it nothing to wait with.
pub(crate) fn runtime() -> Result<runtime::Runtime, Failure> {
    runtime::Builder::new_current_thread().enable_all().build().map_err(|error| Failure::new(Status::Internal, &error))
}

/// What C says of a connection.
fn wish(object: In<'_, [u8; 16]>, replica: u32, port: u16) -> Result<Wish, Failure> {
    if port == 0 {
        return Err(Failure::invalid("the port is 0: name one, such as that of the service"));
    }
    Ok(Wish { object: wanted(object), replica: (replica != ANY_REPLICA).then_some(replica), port })
}

fn kernel(error: &io::Error) -> Failure {
    Failure::new(Status::NotConnected, error)
}

/// Waits for a socket, which then is the caller's.
fn wait(socket: impl Future<Output = Result<OwnedFd, Failure>>) -> Result<i32, Failure> {
    runtime()?.block_on(socket).map(OwnedFd::into_raw_fd)
}

async fn stream(selector: Option<&Selector>, wish: &Wish, milliseconds: u32) -> Result<OwnedFd, Failure> {
    let stream = tcp(given(selector)?, wish, Duration::from_millis(milliseconds.into())).await?;
    let stream = stream.into_std().map_err(|error| kernel(&error))?;
    stream.set_nonblocking(false).map_err(|error| kernel(&error))?;
    Ok(stream.into())
}

async fn datagrams(selector: Option<&Selector>, wish: &Wish, milliseconds: u32) -> Result<OwnedFd, Failure> {
    let longest = Duration::from_millis(milliseconds.into());
    let open = async { Datagrams::open(given(selector)?, wish).await?.into_connected().await.map_err(Failure::from) };
    let late = |_| Failure::from(ConnectError::TimedOut { longest, called: Vec::new() });
    let socket = timeout(longest, open).await.map_err(late)??;
    let socket = socket.into_std().map_err(|error| kernel(&error))?;
    socket.set_nonblocking(false).map_err(|error| kernel(&error))?;
    Ok(socket.into())
}

exports! {
    fn ssa_connect_tcp(
        selector: Option<&Selector>,
        object: In<'_, [u8; 16]>,
        replica: u32,
        port: u16,
        timeout: u32,
        fd: Out<'_, i32>,
        message: Out<'_, Message>,
    ) -> Status {
        make((fd, "file descriptor"), message, || wait(stream(selector, &wish(object, replica, port)?, timeout)))
    }

    fn ssa_connect_udp(
        selector: Option<&Selector>,
        object: In<'_, [u8; 16]>,
        replica: u32,
        port: u16,
        timeout: u32,
        fd: Out<'_, i32>,
        message: Out<'_, Message>,
    ) -> Status {
        make((fd, "file descriptor"), message, || wait(datagrams(selector, &wish(object, replica, port)?, timeout)))
    }
}
