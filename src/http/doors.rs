//! The API's routes as they are registered: a router that also knows what it routes, which axum's does not tell.
//!
//! So the table of roles can be held against it, and a handler that stands in no row of the table is reached by nobody.

use super::Web;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use std::sync::Arc;

/// What answers at one address: handlers, and the names of their methods.
pub(super) struct Way {
    methods: Vec<&'static str>,
    answers: MethodRouter<Arc<Web>>,
}

macro_rules! ways {
    ($($name:ident $method:literal)*) => {
        $(#[allow(dead_code, reason = "an address may begin with any method")]
        pub(super) fn $name<H: Handler<T, Arc<Web>>, T: 'static>(handler: H) -> Way {
            Way { methods: vec![$method], answers: routing::$name(handler) }
        })*
        impl Way {
            $(#[allow(dead_code, reason = "an address may have any method besides")]
            pub fn $name<H: Handler<T, Arc<Web>>, T: 'static>(mut self, handler: H) -> Way {
                self.methods.push($method);
                self.answers = self.answers.$name(handler);
                self
            })*
        }
    };
}

ways! { get "GET" post "POST" put "PUT" patch "PATCH" delete "DELETE" }

impl Way {
    pub fn layer(mut self, limit: DefaultBodyLimit) -> Way {
        self.answers = self.answers.layer(limit);
        self
    }
}

#[derive(Default)]
pub(super) struct Doors {
    router: Router<Arc<Web>>,
    /// Method and address of every handler.
    known: Vec<(&'static str, String)>,
}

impl Doors {
    pub fn route(mut self, path: &str, way: Way) -> Doors {
        self.known.extend(way.methods.iter().map(|method| (*method, path.to_owned())));
        self.router = self.router.route(path, way.answers);
        self
    }

    #[cfg(test)]
    pub fn known(&self) -> &[(&'static str, String)] {
        &self.known
    }

    pub fn router(self) -> Router<Arc<Web>> {
        self.router
    }
}
