//! The endpoint: every AWS service on one port, distinguished by the request itself.

use crate::faults::{Strike, Victim};
use crate::port::Listener;
use crate::wire::{self, ApiError, Encoded, Protocol, Request};
use crate::world::{Shared, lock};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io;
use std::sync::Arc;

/// Answers connections until the runtime ends.
pub(crate) async fn serve(mut listener: Listener, world: Shared) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let world = world.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(world.clone(), request));
            // An error here is a connection that was cut by a fault or closed by the client.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Reads, carries out and answers one request. An error closes the connection without an answer.
async fn answer(world: Shared, request: hyper::Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request_id = lock(&world).new_uuid();
    let encoded = match Request::parse(head.uri.path(), &head.headers, body) {
        Ok(request) => {
            let request = Arc::new(request);
            let answer = carry_out(&world, request.clone()).await?;
            wire::encode(&request, &answer, &request_id)
        }
        Err(error) => wire::encode_error(&error, &request_id, Protocol::of(head.uri.path(), &head.headers)),
    };
    respond(encoded, &request_id)
}

/// The HTTP answer, with AWS's request id and the testbed's own time: an SDK compares the date with its clock.
fn respond(encoded: Encoded, request_id: &str) -> io::Result<Response<Full<Bytes>>> {
    let status = StatusCode::from_u16(encoded.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::builder()
        .status(status)
        .header("date", wire::time::http_date(crate::clock::wall()))
        .header("content-type", encoded.content_type)
        .header("x-amzn-requestid", request_id);
    for (name, value) in encoded.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(encoded.body)).map_err(io::Error::other)
}

/// Records a call, applies the faults, and carries out the call. An error means: no answer.
async fn carry_out(world: &Shared, request: Arc<Request>) -> io::Result<Result<Value, ApiError>> {
    let (number, strike) = {
        let mut world = lock(world);
        let number = world.recorder.begin(&request);
        let account = world.account.clone();
        (number, world.faults.strike(&request, &account))
    };
    let is_held = !(strike.holds.is_empty() && strike.answer_holds.is_empty());
    let call = suffer(world.clone(), request, number, strike);
    if is_held {
        // In a separate task, a held call is carried out even if its caller has left.
        tokio::spawn(call).await.map_err(io::Error::other)?
    } else {
        call.await
    }
}

/// Carries out one call with all effects of faults. An error means: no answer.
async fn suffer(
    world: Shared,
    request: Arc<Request>,
    number: u64,
    strike: Strike,
) -> io::Result<Result<Value, ApiError>> {
    crate::clock::sleep(strike.delay).await;
    for hold in &strike.holds {
        hold.wait().await;
    }
    if strike.cut_after == Some(false) {
        return Err(cut(&world, number, &strike));
    }
    let answer = perform(&world, &request, number, &strike);
    for hold in &strike.answer_holds {
        hold.wait().await;
    }
    if strike.cut_after == Some(true) {
        return Err(cut(&world, number, &strike));
    }
    crate::clock::sleep(strike.stall).await;
    Ok(match strike.error_after {
        Some(error) => Err(error),
        None => answer,
    })
}

/// The call itself, with the other parties' actions around it.
fn perform(world: &Shared, request: &Request, number: u64, strike: &Strike) -> Result<Value, ApiError> {
    let mut world = lock(world);
    world.act_before(strike);
    world.sts.caller = request.credential.as_ref().map(|credential| credential.access_key.clone());
    let refused = unsigned(request).or_else(|| world.sts.refuse(request)).or_else(|| world.refuse(request));
    let refused = refused.or_else(|| world.throttle(request));
    let answer = match (refused, &strike.error) {
        (Some(error), _) => Err(error),
        (None, Some(error)) => Err(error.clone()),
        (None, None) => world.call(request.service, &request.operation, &request.input),
    };
    world.recorder.finish(number, &answer);
    world.act_after(strike);
    world.check(number);
    answer
}

/// Notes that the caller gets no answer, and kills the victim if the fault requires it.
fn cut(world: &Shared, number: u64, strike: &Strike) -> io::Error {
    lock(world).recorder.dropped(number);
    strike.kill.iter().for_each(Victim::kill);
    io::Error::other("cut by a fault")
}

/// The refusal of a request without a signature; AssumeRoleWithWebIdentity needs none.
fn unsigned(request: &Request) -> Option<ApiError> {
    if request.credential.is_some() || request.operation == "AssumeRoleWithWebIdentity" {
        return None;
    }
    Some(if request.service.is_query() {
        ApiError::with_status("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    } else {
        ApiError::new("MissingAuthenticationTokenException", "Missing Authentication Token")
    })
}
