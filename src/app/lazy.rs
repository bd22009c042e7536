//! What is in a file of its own in the download, where the build splits it (`--split`, as every
//! command of the Makefile does). A plain `cargo leptos watch` puts all of it into one file.

#[cfg(split)]
pub use leptos_router::LazyRoute as LazyPage;
#[cfg(not(split))]
pub use whole::LazyPage;

/// The page as a route shows it: fetched when it is first asked for. What `data` names is in the
/// first file of the download, so that a page does all it can in `view`.
#[cfg(split)]
pub fn page<P: LazyPage + Sync>() -> leptos_router::Lazy<P> {
    leptos_router::Lazy::new()
}

/// The page as a route shows it.
#[cfg(not(split))]
pub fn page<P: LazyPage>() -> impl Fn() -> leptos::prelude::AnyView + Send + Clone {
    || P::view(P::data())
}

#[cfg(not(split))]
mod whole {
    use leptos::prelude::AnyView;

    /// A page whose data is there before its view.
    pub trait LazyPage: Sized + 'static {
        /// What the page needs to know, read when somebody goes there.
        fn data() -> Self;

        /// What is shown.
        fn view(this: Self) -> AnyView;
    }
}

/// Several pages in one file of the download, because they share most of what they are made of: each
/// file more has a price that the first visit pays. `$file` names it, `$preload` is what the splitter
/// calls the fetching of it; then come each page and its component.
macro_rules! pages_of_one_file {
    ($file:ident, $preload:ident: $($(#[$doc:meta])* $page:ident = $($part:ident)::+,)+) => {
        #[derive(Clone, Copy)]
        enum Which {
            $($page,)+
        }

        #[cfg_attr(split, leptos::lazy)]
        fn $file(which: Which) -> leptos::prelude::AnyView {
            use leptos::prelude::*;
            match which {
                $(Which::$page => view! { <$($part)::+ /> }.into_any(),)+
            }
        }

        $(
            $(#[$doc])*
            pub struct $page;

            impl $crate::app::lazy::LazyPage for $page {
                fn data() -> Self {
                    Self
                }

                #[cfg(split)]
                async fn view(_this: Self) -> leptos::prelude::AnyView {
                    $file(Which::$page).await
                }

                #[cfg(split)]
                async fn preload() {
                    #[cfg(target_arch = "wasm32")]
                    $preload().await;
                }

                #[cfg(not(split))]
                fn view(_this: Self) -> leptos::prelude::AnyView {
                    $file(Which::$page)
                }
            }
        )+
    };
}
pub(super) use pages_of_one_file;

/// Bytes that nothing refers to, so that no file of the download has them. The splitter gives each
/// file its part of the data, rounded up; where the parts are longer than the whole was, it leaves
/// all of it in the first file, dictionaries included. This makes the whole a little longer.
#[cfg(split)]
#[used]
static ROOM: [u8; 4096] = [1; 4096];
