//! `Clear-Site-Data`: browsers forget a person's pages when the session is over (ASVS 14.3.1).
//!
//! `no-store` keeps pages out of a browser's HTTP cache. It does not stop Firefox from showing an old
//! page's source, nor Chromium from showing a page that it fetched before the click. Both happen
//! without a request, so that only the answer that ends the session can prevent them.

use http::{HeaderMap, HeaderValue, Response};

/// Copies that a browser drops. An extension of a response, which [`write()`] turns into the header.
#[derive(Clone, Copy)]
pub enum Forget {
    /// Copies of pages: the session was found to be over.
    Pages,
    /// Storage as well: the session ends now, in this browser.
    Everything,
}

/// First version of Chromium that knows `"prefetchCache"` and `"prerenderCache"`.
const FINER_WORDS_SINCE: u32 = 138;

/// Directives that a browser knows.
#[derive(Clone, Copy)]
pub enum Words {
    /// For Chromium, `"cache"` walks through the HTTP cache of all sites before the answer counts:
    /// 2.5 to 2.9 s where it holds 20,000 files. Its two narrower directives take no time.
    Chromium,
    /// Other browsers know `"cache"` alone. Firefox takes 30 ms for it, with 20,000 files.
    Others,
}

impl Words {
    /// Chromium names itself and its version in `Sec-CH-UA` wherever it obeys `Clear-Site-Data`: on
    /// https and on this machine's own names. An older one, or none, gets the directives that drop most.
    pub fn of(request: &HeaderMap) -> Self {
        let brands = request.get("sec-ch-ua");
        let is_chromium = brands
            .and_then(|brands| brands.to_str().ok())
            .and_then(|brands| brands.split("\"Chromium\";v=\"").nth(1))
            .and_then(|version| version.split(['"', '.']).next()?.parse::<u32>().ok())
            .is_some_and(|version| version >= FINER_WORDS_SINCE);
        if is_chromium {
            Self::Chromium
        } else {
            Self::Others
        }
    }
}

/// Writes the header onto a response that carries a [`Forget`].
pub fn write<B>(response: &mut Response<B>, words: Words) {
    let Some(forget) = response.extensions_mut().remove::<Forget>() else {
        return;
    };
    let value = match (words, forget) {
        (Words::Chromium, Forget::Pages) => r#""prefetchCache", "prerenderCache""#,
        (Words::Chromium, Forget::Everything) => r#""prefetchCache", "prerenderCache", "storage""#,
        (Words::Others, Forget::Pages) => r#""cache""#,
        (Words::Others, Forget::Everything) => r#""cache", "storage""#,
    };
    let headers = response.headers_mut();
    headers.insert("clear-site-data", HeaderValue::from_static(value));
}
