//! `depot.ci.v1.DepotComputeService`: terminals and commands inside a running job
//! (`depot ci ssh`), which there are none of here.

use connectrpc::{RequestContext, ServiceRequest, ServiceResult, ServiceStream, StreamMessage};
use tappet_rpc::depot::ci::v1::{
    DepotComputeService, ExecuteCommandPipeRequest, ExecuteCommandRequest, ExecuteCommandResponse,
    OpenPtySessionRequest, OpenPtySessionResponse,
};

use super::errors::RpcError;

/// Refuses each call with what to do instead.
pub struct Compute;

fn no_terminals<T>() -> ServiceResult<T> {
    let message = "this server opens no terminals into jobs; read what a job does with \
                   `depot ci logs --follow`";
    Err(RpcError::unimplemented(message).into())
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl DepotComputeService for Compute {
    async fn open_pty_session(
        &self,
        _: RequestContext,
        _: ServiceStream<StreamMessage<OpenPtySessionRequest>>,
    ) -> ServiceResult<ServiceStream<OpenPtySessionResponse>> {
        no_terminals()
    }

    async fn remote_exec(
        &self,
        _: RequestContext,
        _: ServiceRequest<'_, ExecuteCommandRequest>,
    ) -> ServiceResult<ServiceStream<ExecuteCommandResponse>> {
        no_terminals()
    }

    async fn exec_pipe(
        &self,
        _: RequestContext,
        _: ServiceStream<StreamMessage<ExecuteCommandPipeRequest>>,
    ) -> ServiceResult<ServiceStream<ExecuteCommandResponse>> {
        no_terminals()
    }
}
