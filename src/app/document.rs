//! The document around the app: made by the server alone.

mod alone;
mod developers;
mod program;
mod tabs;

pub use alone::document;

use super::{App, parts::layout::Stray, words};
use crate::wire::{self, page_account::PageAccount, users::ReturnedForm};
use http::request::Parts;
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;
use std::{collections::HashMap, path::Path, sync::Arc};

/// The framework makes elements from its own templates by `innerHTML` when a page is made in
/// the browser. Trusted Types are enforced, so a policy must let those in; it lets in nothing
/// that could run: no script, no handler, no frame, and no script URL at all.
const TRUSTED_TYPES: &str = r#"window.trustedTypes&&trustedTypes.createPolicy("default",{createHTML:function(t){if(/<\s*(script|iframe|object|embed|link|meta|base)|[\s"'/]on\w+\s*=|javascript:/i.test(t))throw new TypeError("refused");return t}});"#;

/// The splitter's placeholder for the hash in its loader's name. Where names carry none, it stays.
const NO_HASH: &str = "______________________";

/// Names the built files.
pub struct SiteFiles {
    options: Arc<LeptosOptions>,
    found: Arc<Files>,
}

/// The paths that a page names.
pub struct Files {
    options: Arc<LeptosOptions>,
    js: String,
    wasm: String,
    css: String,
    /// Where the build is split: what loads the further files, and which of them a page needs.
    loader: Option<String>,
    lazy: HashMap<String, Vec<String>>,
}

impl SiteFiles {
    /// Reads the list of hashes that the build left beside the binary.
    pub fn find(options: &LeptosOptions) -> Self {
        let options = Arc::new(options.clone());
        Self {
            found: Arc::new(Files::read(&options)),
            options,
        }
    }

    /// Returns the names of this moment: they change while cargo-leptos watches.
    pub fn current(&self) -> Arc<Files> {
        if is_watched() {
            Arc::new(Files::read(&self.options))
        } else {
            Arc::clone(&self.found)
        }
    }
}

/// Whether cargo-leptos builds anew at every change of a file, and has started this server.
fn is_watched() -> bool {
    std::env::var_os("LEPTOS_WATCH").is_some()
}

impl Files {
    fn read(options: &Arc<LeptosOptions>) -> Self {
        let list = std::env::current_exe()
            .ok()
            .and_then(|exe| std::fs::read_to_string(exe.with_file_name(&*options.hash_file)).ok())
            .unwrap_or_default();
        let hashes: HashMap<&str, &str> = list
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(kind, hash)| (kind.trim(), hash.trim()))
            .collect();
        let folder = Path::new(&*options.site_root).join(&*options.site_pkg_dir);
        let is_there = |name: &str| folder.join(name).is_file();
        let is_watched = is_watched();
        // The list may be of another build than the site. And cargo-leptos hashes names at its start
        // alone: what it builds while it watches has plain names.
        let choose = |name: &str, key: &str, kind: &str, plain: String| {
            hashes
                .get(key)
                .map(|hash| format!("{name}.{hash}.{kind}"))
                .filter(|hashed| is_there(hashed) && !(is_watched && is_there(&plain)))
                .unwrap_or(plain)
        };
        let pkg = format!("/{}", options.site_pkg_dir);
        let path = |kind| {
            let name = &options.output_name;
            let plain = format!("{name}.{kind}");
            format!("{pkg}/{}", choose(name, kind, kind, plain))
        };
        let loader = choose(
            "__wasm_split",
            "split",
            "js",
            format!("__wasm_split.{NO_HASH}.js"),
        );
        let manifest = folder.join(choose(
            "__wasm_split_manifest",
            "manifest",
            "json",
            "__wasm_split_manifest.json".to_owned(),
        ));
        let mut lazy: HashMap<String, Vec<String>> = std::fs::read(manifest)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default();
        for name in lazy.values_mut().flatten() {
            *name = format!("{pkg}/{name}.wasm");
        }
        Self {
            js: path("js"),
            wasm: path("wasm"),
            css: path("css"),
            loader: (!lazy.is_empty()).then(|| format!("{pkg}/{loader}")),
            lazy,
            options: Arc::clone(options),
        }
    }

    /// The further files that the page of this path needs. Some pages share one; else it is called as
    /// the last part of the path is.
    fn of_page(&self, path: &str) -> Vec<String> {
        let view = match path.trim_matches('/') {
            "account" | "account/activity" | "account/security" | "account/sessions" => {
                "account_".to_owned()
            }
            "account/apps" | "account/keys" | "consent" => "programs_".to_owned(),
            "" => "__home_view_".to_owned(),
            page => format!("__{}_view_", page.replace('-', "_")),
        };
        self.lazy
            .iter()
            .find(|(name, _)| name.starts_with(&view))
            .map(|(_, files)| files.clone())
            .unwrap_or_default()
    }
}

/// The document that every page is in.
pub fn shell(files: &Files) -> impl IntoView + use<> {
    let nonce = use_nonce();
    let account = use_context::<PageAccount>();
    // The page that shows what a script can find has one of its own, as an injected one would be.
    let is_proof = account.is_some()
        && use_context::<Parts>().is_some_and(|parts| parts.uri.path() == "/proof");
    let proof = is_proof.then(|| {
        view! { <script type="module" src="/proof.js" nonce=nonce.clone()></script> }
    });
    let tabs = tabs::script(account.as_ref());
    let session = account.map(|account| tabs::files(account, nonce.clone()));
    // A page that shows a form that came back without the program stays without it: what was typed
    // is in the HTML, and the next submit goes the same way.
    let is_plain = use_context::<ReturnedForm>().is_some();
    let program = (!is_plain).then(|| (preloads(files), program::script(files)));
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                {head(files)}
                <script nonce=nonce.clone()>{TRUSTED_TYPES}</script>
                <script nonce=nonce>{tabs}</script>
                {session}
                <AutoReload options=(*files.options).clone() />
                {program}
                {proof}
                <MetaTags />
            </head>
            // Addresses, keys and passwords are no words of a language.
            <body spellcheck="false">
                <App />
            </body>
        </html>
    }
}

fn head(files: &Files) -> impl IntoView + use<> {
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href=files.css.clone() />
    }
}

/// What the program asks for as soon as it runs is fetched along with it.
fn preloads(files: &Files) -> impl IntoView + use<> {
    let page =
        use_context::<Parts>().map_or_else(Vec::new, |parts| files.of_page(parts.uri.path()));
    let loader = files
        .loader
        .clone()
        .map(|loader| view! { <link rel="modulepreload" href=loader /> });
    let page = page
        .into_iter()
        .map(|file| {
            view! { <link rel="preload" href=file r#as="fetch" type="application/wasm" crossorigin="anonymous" /> }
        })
        .collect_view();
    (loader, page)
}

/// A whole page for a refusal that came before any page: no script is needed to read it.
pub fn error_document(files: &Files, error: &wire::Error) -> String {
    let what = words::what_happened(error);
    let then = match error {
        wire::Error::Unexpected { id } if !id.is_empty() => format!("Reference: {id}"),
        _ => String::new(),
    };
    html_alone(files, "Cloakroom", (), move || {
        view! { <Stray what=what then=then /> }
    })
}

/// A document of HTML alone, without the app.
pub fn html_alone<V: IntoView + 'static>(
    files: &Files,
    title: &'static str,
    more: impl IntoView + 'static,
    body: impl FnOnce() -> V,
) -> String {
    let html = Owner::new().with(|| {
        view! {
            <html lang="en">
                <head>
                    {head(files)}
                    {more}
                    // As text it would have a comment after it, which a title shows as it stands.
                    <title inner_html=title />
                </head>
                <body>{body()}</body>
            </html>
        }
        .to_html()
    });
    format!("<!DOCTYPE html>{html}")
}
