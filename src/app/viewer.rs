//! Who is signed in: asked once, in context for every page.

use crate::{
    api::users::viewer,
    wire::{Error, users::Viewer},
};
use leptos::prelude::*;

/// The answer, when it is there. The cookie is the browser's own business: nothing here has it.
#[derive(Clone, Copy)]
pub struct WhoIsSignedIn(Resource<Result<Option<Viewer>, Error>>);

/// Asks, and provides the answer. The server asks while it renders, so the page that arrives
/// says the same as the page that is hydrated.
pub fn provide() {
    provide_context(WhoIsSignedIn::ask());
}

impl WhoIsSignedIn {
    /// The one place that asks: each would be in the download on its own. A page that asks the
    /// server for nothing else asks this anew, so that whoever was signed out meanwhile knows at
    /// that click.
    pub fn ask() -> Self {
        Self(Resource::new_blocking(|| (), |()| viewer()))
    }

    /// From context; read [`Self::show`] under a `<Suspense>`.
    pub fn here() -> Self {
        use_context().unwrap_or_else(Self::ask)
    }

    /// Shows what `view` makes of whoever is signed in, once that is known.
    pub fn show<V>(self, view: impl FnOnce(Option<Viewer>) -> V) -> Option<V> {
        self.0.get().map(|answer| view(answer.ok().flatten()))
    }

    /// Why nobody is known to be signed in, if so; read it under a `<Suspense>`.
    pub fn missing(self) -> Option<Error> {
        match self.0.get()? {
            Ok(Some(_)) => None,
            Ok(None) => Some(Error::SignInNeeded),
            Err(error) => Some(error),
        }
    }
}
