//! Requests in; the answers of the zone that is served now out, none of them large over UDP.

use async_trait::async_trait;
use hickory_proto::rr::Record;
use hickory_server::{
    net::{NetError, runtime::Time},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::{Catalog, MessageResponse},
};

use crate::command::now::Now;

/// The most octets of an answer over UDP, whatever is asked for: it fits any path, and is no use to those who ask with
/// somebody else's address. What is longer is cut off, and asked for over TCP.
const MOST: u16 = 1232;

/// The zone that is served now.
#[derive(Clone)]
pub(super) struct Answers(pub(super) Now<Catalog>);

#[async_trait]
impl RequestHandler for Answers {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, response: R) -> ResponseInfo {
        self.0.get().handle_request::<_, T>(request, Short(response)).await
    }
}

/// What is said of the room that there is for an answer, made less.
#[derive(Clone)]
struct Short<R>(R);

#[async_trait]
impl<R: ResponseHandler> ResponseHandler for Short<R> {
    async fn send_response<'a>(
        &mut self,
        mut response: MessageResponse<
            '_,
            'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
        >,
    ) -> Result<ResponseInfo, NetError> {
        let edns = response.edns().map(|edns| {
            let mut edns = edns.clone();
            edns.set_max_payload(edns.max_payload().min(MOST));
            edns
        });
        if let Some(edns) = &edns {
            response.set_edns(edns);
        }
        self.0.send_response(response).await
    }
}
