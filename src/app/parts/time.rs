//! Times in words: in UTC as the server writes them, in the user's own time where scripts run.

use crate::app::words;
use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::js_sys::{Date, Function, Reflect},
};

/// What a page says of a time.
#[derive(Clone, Copy)]
pub enum Shown {
    /// Such as "5 minutes ago", seen from this time in Unix seconds.
    Ago(i64),
    /// Such as "24 November 2026".
    Date,
    /// Such as "20:05", below a heading that names the day.
    TimeOfDay,
    /// Such as "24 November 2026, 20:05".
    Exact,
}

/// Clock by which a page tells times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// UTC, which is named wherever it is used.
    Utc,
    /// Time zone of the browser.
    Local,
}

impl Zone {
    /// UTC until the page is hydrated, so that the server's HTML and the browser's are the same.
    pub fn of_page() -> ReadSignal<Self> {
        let (zone, set_zone) = signal(Self::Utc);
        Effect::new(move |_| set_zone.set(Self::Local));
        zone
    }

    /// Such as "24 November 2026", or "24 November 2026 (UTC)".
    pub fn date(self, at: i64) -> String {
        let date = words::date(self.clock(at));
        match self {
            Self::Utc => format!("{date} (UTC)"),
            Self::Local => date,
        }
    }

    fn exact(self, at: i64) -> String {
        match self {
            Self::Utc => words::exact_in_words(at),
            Self::Local => {
                let clock = self.clock(at);
                format!("{}, {}", words::date(clock), words::time_of_day(clock))
            }
        }
    }

    /// Unix seconds at which a clock in UTC shows what this one shows now.
    fn clock(self, at: i64) -> i64 {
        match self {
            Self::Utc => at,
            Self::Local => at - 60 * minutes_behind_utc(at).unwrap_or_default(),
        }
    }
}

/// Minutes by which the browser's time zone is behind UTC at this time; summer time has its own. The
/// methods are called by their names: typed ones would be in the JavaScript of every page.
fn minutes_behind_utc(at: i64) -> Option<i64> {
    let date = Date::new_0();
    let method = |name: &str| {
        let found = Reflect::get(&date, &JsValue::from_str(name)).ok()?;
        found.dyn_into::<Function>().ok()
    };
    let at_ms = f64::from(u32::try_from(at).ok()?) * 1000.0;
    method("setTime")?.call1(&date, &at_ms.into()).ok()?;
    let minutes = method("getTimezoneOffset")?.call0(&date).ok()?.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no time zone is further from UTC than a day"
    )]
    Some(minutes as i64)
}

/// A time in words, with the exact one behind it.
#[component]
pub fn Time(
    /// Unix seconds.
    at: i64,
    /// What is said of it.
    shown: Shown,
) -> impl IntoView {
    let zone = Zone::of_page();
    let text = move || match shown {
        Shown::Ago(now) => words::ago(at, now),
        Shown::Date => zone.get().date(at),
        Shown::TimeOfDay => words::time_of_day(zone.get().clock(at)),
        Shown::Exact => zone.get().exact(at),
    };
    view! {
        <time datetime=words::exact(at) title=move || zone.get().exact(at)>
            {text}
        </time>
    }
}
