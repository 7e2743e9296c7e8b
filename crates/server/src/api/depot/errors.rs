//! Refusals in Connect's words, with the HTTP statuses that Depot answers.

use connectrpc::ConnectError;
use http::StatusCode;
use tappet_store::StoreError;

/// What handlers return.
pub type RpcResult<T> = Result<T, RpcError>;

/// Why a call is refused.
#[derive(Debug)]
pub struct RpcError(ConnectError);

impl RpcError {
    /// The request contradicts itself or holds what no request may hold.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self(ConnectError::invalid_argument(message))
    }

    /// Nothing there, or nothing that the caller may see.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self(ConnectError::not_found(message))
    }

    /// It stands otherwise than the call needs. Depot answers HTTP 412 where
    /// Connect's own table says 400.
    pub fn failed_precondition(message: impl Into<String>) -> Self {
        let error = ConnectError::failed_precondition(message);
        Self(error.with_http_status(StatusCode::PRECONDITION_FAILED))
    }

    /// Nobody calls.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self(ConnectError::unauthenticated(message))
    }

    /// The caller may not.
    pub fn denied(message: impl Into<String>) -> Self {
        Self(ConnectError::permission_denied(message))
    }

    /// Too much of something.
    pub fn exhausted(message: impl Into<String>) -> Self {
        Self(ConnectError::resource_exhausted(message))
    }

    /// Not now; the same call may go well later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self(ConnectError::unavailable(message))
    }

    /// This server does not do that.
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self(ConnectError::unimplemented(message))
    }

    /// It exists already.
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self(ConnectError::already_exists(message))
    }

    /// Something of ours broke: the log tells what, the caller learns that only.
    pub fn internal(what: &str, error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "cannot {what}");
        let message = format!("cannot {what}: the server's log tells more");
        Self(ConnectError::internal(message))
    }
}

impl From<RpcError> for ConnectError {
    fn from(error: RpcError) -> Self {
        error.0
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::not_found(error.to_string()),
            StoreError::Refused(_) => Self::failed_precondition(error.to_string()),
            StoreError::Taken { .. } => Self::already_exists(error.to_string()),
            StoreError::KeyReused => Self::invalid(error.to_string()),
            StoreError::Closed | StoreError::Full => Self::unavailable(error.to_string()),
            StoreError::Database(_) => Self::internal("use the database", &error),
        }
    }
}
