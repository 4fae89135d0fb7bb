//! The listeners of GitHub and of the runner's token endpoint.

use super::ask::Ask;
use super::body::Pieces;
use super::faults::Strike;
use super::{Reply, Site};
use crate::faults::Victim;
use crate::oidc;
use crate::port::{self, Listener, Socket, Stream};
use crate::world::{Shared, lock};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;

/// Answers connections until the runtime ends; while the host is down, no listener has the port.
pub(crate) async fn serve(listener: Listener, site: Site, world: Shared) {
    let Ok(address) = listener.local_addr() else { return };
    let changed = lock(&world).github.hosts[site as usize].changed.clone();
    let mut place = Place::Open(listener);
    loop {
        let down = lock(&world).github.hosts[site as usize].down;
        let Ok(now) = place.turned(down, address) else { return };
        place = now;
        lock(&world).github.hosts[site as usize].listening = matches!(place, Place::Open(_));
        tokio::select! {
            stream = place.accept() => {
                tokio::spawn(talk(stream, site, address, world.clone()));
            }
            () = changed.notified() => {}
        }
    }
}

/// A host's port, which is never released.
enum Place {
    /// The host answers.
    Open(Listener),
    /// Connections are refused.
    Down(Socket),
}

impl Place {
    /// The port in its wanted state.
    fn turned(self, down: bool, address: SocketAddr) -> io::Result<Self> {
        Ok(match (self, down) {
            (Self::Open(listener), true) => {
                let held = port::hold(address)?;
                drop(listener);
                Self::Down(held)
            }
            (Self::Down(held), false) => Self::Open(held.listen()?),
            (as_it_should_be, _) => as_it_should_be,
        })
    }

    /// The next connection; none while the host is down.
    async fn accept(&mut self) -> Stream {
        let Self::Open(listener) = self else { return std::future::pending().await };
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                return stream;
            }
        }
    }
}

/// Answers the requests of one connection.
async fn talk(stream: Stream, site: Site, address: SocketAddr, world: Shared) {
    let service = service_fn(move |request| answer(world.clone(), site, address, request));
    // An error here is a connection that was cut by a fault or closed by the client.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Reads, records, carries out and answers one request. An error closes the connection without an answer.
async fn answer(
    world: Shared,
    site: Site,
    address: SocketAddr,
    request: hyper::Request<Incoming>,
) -> io::Result<Response<Pieces>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let ask = Ask::read(&head, &body, &format!("http://{address}"));
    let (number, strike) = {
        let mut world = lock(&world);
        if world.github.hosts[site as usize].down {
            return Err(io::Error::other("the host is down"));
        }
        let when = (world.age(), world.last_call());
        let token = world.github.name_of(&ask);
        let number = world.github.record.begin(&ask, site, token.clone(), when);
        (number, world.github.strike(&ask, token.as_deref()))
    };
    crate::clock::sleep(strike.delay).await;
    for hold in &strike.holds {
        hold.wait().await;
    }
    if strike.cut_after == Some(false) {
        return Err(cut(&world, number, &strike));
    }
    let reply = perform(&world, site, &ask, number, &strike);
    if strike.cut_after == Some(true) {
        return Err(cut(&world, number, &strike));
    }
    crate::clock::sleep(strike.stall).await;
    respond(reply, &strike)
}

/// The request itself, with the other parties' actions around it.
fn perform(world: &Shared, site: Site, ask: &Ask, number: u64, strike: &Strike) -> Reply {
    let mut world = lock(world);
    world.act_before_github(strike);
    let reply = match (&strike.reply, site) {
        (Some(reply), Site::Api) => world.github.with_limits(ask, reply.clone()),
        (Some(reply), Site::Oidc) => reply.clone(),
        (None, Site::Api) => world.github.handle(ask),
        (None, Site::Oidc) => oidc::handle(&world.oidc, ask),
    };
    let reply = strike.reply_after.clone().unwrap_or(reply);
    world.github.record.finish(number, &reply);
    world.act_after_github(strike);
    reply
}

/// Notes that the caller gets no answer, and kills the victim if the fault requires it.
fn cut(world: &Shared, number: u64, strike: &Strike) -> io::Error {
    let mut world = lock(world);
    world.github.record.dropped(number);
    world.faults.victim.iter().filter(|_| strike.kill).for_each(Victim::kill);
    io::Error::other("cut by a fault")
}

/// The HTTP answer; hyper adds the true date.
fn respond(reply: Reply, strike: &Strike) -> io::Result<Response<Pieces>> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::builder().status(status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let body = match (strike.cut_body, strike.gap.is_zero()) {
        (true, _) => Pieces::half(reply.body),
        (false, false) => Pieces::slow(reply.body, strike.gap),
        (false, true) => Pieces::whole(reply.body),
    };
    response.body(body).map_err(io::Error::other)
}
