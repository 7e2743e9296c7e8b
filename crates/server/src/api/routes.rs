//! Routes that carry their description: a handler cannot be reached without one.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Method;

use super::operation::Operation;
use crate::app::SharedApp;

/// Handlers and what they promise, below a common base address.
pub struct Routes {
    base: &'static str,
    router: Router<SharedApp>,
    operations: Vec<(&'static str, Operation)>,
}

impl Routes {
    /// Nothing yet. `base` stands before every path: `/api/v4`.
    pub fn under(base: &'static str) -> Self {
        Self {
            base,
            router: Router::new(),
            operations: Vec::new(),
        }
    }

    /// One more route.
    #[must_use]
    pub fn add<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, SharedApp>,
        T: 'static,
    {
        let filter = filter(&operation.method);
        let path = format!("{}{}", self.base, operation.path);
        self.router = self.router.route(&path, on(filter, handler));
        self.operations.push((self.base, operation));
        self
    }

    /// Another address that the handler added before answers, because its pattern
    /// is wider than one address.
    #[must_use]
    pub fn also(mut self, operation: Operation) -> Self {
        self.operations.push((self.base, operation));
        self
    }

    /// These and others, whatever their base.
    #[must_use]
    pub fn and(mut self, others: Routes) -> Self {
        self.router = self.router.merge(others.router);
        self.operations.extend(others.operations);
        self
    }

    /// The same routes behind a layer or two.
    #[must_use]
    pub fn map(mut self, change: impl FnOnce(Router<SharedApp>) -> Router<SharedApp>) -> Self {
        self.router = change(self.router);
        self
    }

    /// For axum.
    pub fn into_router(self) -> Router<SharedApp> {
        self.router
    }

    /// What all of them promise, each with the base of its path.
    pub fn operations(&self) -> &[(&'static str, Operation)] {
        &self.operations
    }
}

fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).expect("operations have plain verbs")
}
