//! Questions of this host's programs in; answers of other servers out, with computed addresses where a name has a rule.

mod answers;
mod computed;
mod kept;
mod message;
mod relay;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    task::{JoinSet, yield_now},
    time::{sleep, timeout},
};

use self::{answers::Answers, message::Over};
use super::{IDLE, bind};
use crate::{
    command::{
        clients::{Asked, Clients, Room},
        end::End,
        key_files::KeyFiles,
        resolving::Resolving,
        wished::Chosen,
    },
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
};

/// Datagrams that are being answered at a time; more are dropped, and asked again.
const QUESTIONS: usize = 256;
/// Connections at a time, all of them of this host; for one more, the oldest is closed that asks nothing.
const ROOM: Room = Room { all: 64, each: 64 };
/// All connections are of this host.
const HERE: u64 = 0;
/// How long to wait where no connection can be taken: somebody must go first.
const WAIT: Duration = Duration::from_millis(100);

/// Whom to ask, and what is wanted of services.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Rewriting {
    #[command(flatten)]
    resolving: Resolving,
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    keys: KeyFiles,
}

/// Serves until a signal.
pub(super) fn serve(context: &mut Context<'_>, rewriting: &Rewriting, listen: SocketAddr) -> Outcome {
    let servers = rewriting.resolving.servers();
    check(listen, servers)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answers = Answers::new(&rewriting.resolving, rewriting.chosen, rewriting.keys.read()?)?;
        let (tcp, udp) = bind::both(listen).await?;
        let address = tcp.local_addr()?;
        check(address, servers)?;
        // Before anybody is told that we are there: whoever reads that may stop us.
        let mut end = End::new()?;
        greet(context, address, servers)?;
        tokio::select! {
            () = end.wanted() => {}
            () = datagrams(udp, &answers) => {}
            () = connections(tcp, &answers) => {}
        }
        Ok(Exit::Done)
    })
}

/// Refuses what would be of no use: addresses are computed for this host, and who asks itself hears nothing.
fn check(listen: SocketAddr, servers: &[SocketAddr]) -> Result<(), Failure> {
    if !listen.ip().is_loopback() {
        let message =
            format!("{listen} is not on the loopback interface, and addresses are computed for this host alone");
        return Err(Failure::new(Code::Invalid, message).hint("listen at [::1]:53, and run it on each client host"));
    }
    if servers.contains(&listen) {
        let message = format!("questions would go round in a circle: {listen} is both --listen and --server");
        return Err(Failure::new(Code::Invalid, message).hint("name the servers that this host has asked so far"));
    }
    Ok(())
}

/// Says where we listen, and whom we ask.
fn greet(context: &mut Context<'_>, address: SocketAddr, servers: &[SocketAddr]) -> anyhow::Result<()> {
    let named: Vec<_> = servers.iter().map(SocketAddr::to_string).collect();
    writeln!(context.err, "rewriting at {address} what {} says", named.join(", "))?;
    if context.json {
        context.object(&json!({ "listening": address, "servers": servers }))?;
        context.out.flush().context("cannot say where we listen")?;
    }
    Ok(())
}

/// Answers datagrams.
async fn datagrams(socket: UdpSocket, answers: &Arc<Answers>) {
    let socket = Arc::new(socket);
    let mut questions = JoinSet::new();
    let mut octets = vec![0; usize::from(u16::MAX)];
    loop {
        tokio::select! {
            Some(_) = questions.join_next() => {}
            received = socket.recv_from(&mut octets) => match received {
                Ok((length, client)) if questions.len() < QUESTIONS => {
                    let (socket, answers, question) = (socket.clone(), answers.clone(), octets[..length].to_vec());
                    questions.spawn(async move {
                        if let Some(answer) = answers.answer(&question, Over::Udp).await
                            && let Err(error) = socket.send_to(&answer, client).await
                        {
                            tracing::info!("{client} has no answer: {error}");
                        }
                    });
                }
                Ok((_, client)) => tracing::info!("a question of {client} is dropped: there are {QUESTIONS} already"),
                // What a client's network answers is no reason to leave the others.
                Err(error) => tracing::info!("cannot receive: {error}"),
            }
        }
    }
}

/// Answers connections.
async fn connections(listener: TcpListener, answers: &Arc<Answers>) {
    let mut clients = Clients::new(ROOM);
    loop {
        tokio::select! {
            Some(()) = clients.ended() => {}
            accepted = listener.accept(), if clients.may_come() => match accepted {
                Ok((stream, client)) => {
                    let answers = answers.clone();
                    clients.take(HERE, |asked| async move {
                        if let Err(error) = converse(stream, &answers, &asked).await {
                            tracing::info!("the connection of {client} ended: {error}");
                        }
                    });
                    // Who has asked already is heard before the next one comes.
                    yield_now().await;
                }
                Err(error) => {
                    tracing::warn!("cannot take a connection: {error}");
                    sleep(WAIT).await;
                }
            }
        }
    }
}

/// Answers one connection's questions, one after the other, until it ends or says nothing for a while.
async fn converse(mut stream: TcpStream, answers: &Answers, asked: &Asked) -> anyhow::Result<()> {
    loop {
        let mut length = [0; 2];
        match timeout(IDLE, stream.read_exact(&mut length)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Ok(()),
        }
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        timeout(IDLE, stream.read_exact(&mut question)).await??;
        asked.set(true);
        let Some(answer) = answers.answer(&question, Over::Tcp).await else { return Ok(()) };
        asked.set(false);
        timeout(IDLE, stream.write_all(&message::framed(&answer)?)).await??;
    }
}
