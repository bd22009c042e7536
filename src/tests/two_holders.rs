//! Searches every history of a session for the two promises about renewal: two holders of one cookie
//! are not both served past the third renewal, and a single browser is not signed out.
//!
//! The rule that the server calls is searched. The rule that it replaced is searched as well: the
//! search finds what it looks for.

use cloakroom::server::sessions::generations::{Generations, RenewalTimes, UNSHOWN_MAX, Verdict};
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    rc::Rc,
};

const TIMES: RenewalTimes = RenewalTimes {
    renew_after_s: 300,
    grace_s: 60,
};
/// Length of the longest history, in events.
const EVENTS_MAX: usize = 14;
/// The same for the rule before, which needs four rounds to show its fault.
const EVENTS_MAX_BEFORE: usize = 24;
/// A request, and a response, are on their way for so long at most, in seconds: less than a grace
/// together.
const ON_ITS_WAY_S: i64 = 20;
/// Times that pass, in seconds.
const PASSES_S: [i64; 3] = [ON_ITS_WAY_S, 60, 300];
/// Everything older is alike, in seconds: every cookie is due, and every grace is over.
const OLD_S: i64 = 380;
/// Responses in a row that a network loses at most, if there is a single browser.
const LOST_MAX: u8 = 2;

/// A rule of renewal.
#[derive(Clone, Copy)]
struct Rule {
    judge: fn(&Generations, Cookie) -> Verdict,
    /// Row after a renewal; the second argument tells whether a response seems lost.
    renew: fn(Generations, bool) -> Generations,
}

/// The server's.
const RULE: Rule = Rule {
    judge: |row, cookie| row.judge(row.newest - cookie.behind, cookie.made_at, 0, TIMES),
    renew: |row, _| row.renewed(0),
};

/// The rule before: a response that seems lost is answered with the newest cookie once more, and the
/// one before the newest is valid until the newest has been seen for a grace.
const RULE_BEFORE: Rule = Rule {
    judge: |row, cookie| match (cookie.behind, row.newest_seen_at) {
        (0, None) => Verdict::FirstSight,
        (0, Some(at)) if at <= -TIMES.grace_s && cookie.made_at <= -TIMES.renew_after_s => {
            Verdict::Due
        }
        (1, None) if row.newest_made_at <= -TIMES.grace_s => Verdict::RenewalLost,
        (1, Some(at)) if at <= -TIMES.grace_s => Verdict::Copy,
        (0 | 1, _) => Verdict::Valid,
        _ => Verdict::Copy,
    },
    renew: |row, is_lost| if is_lost { row } else { row.renewed(0) },
};

/// A cookie: how many generations behind the newest it is, and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Cookie {
    behind: i64,
    made_at: i64,
}

/// A holder of the session: a browser with one cookie, or an attacker who keeps every cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Holder {
    /// Cookies to show.
    cookies: Vec<Cookie>,
    /// Cookie of a request that has not arrived, and since when.
    request: Option<(Cookie, i64)>,
    /// Cookie of a response that has not arrived, and since when.
    response: Option<(Cookie, i64)>,
    /// Responses lost in a row.
    lost: u8,
    /// Served since the newest renewal.
    is_served: bool,
}

/// Everything that the next event depends on. Now is 0, what was before is negative.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    row: Generations,
    /// The row before the last change, in the memory of a node that has not been told yet.
    stale: Option<Generations>,
    owner: Holder,
    attacker: Option<Holder>,
    /// Renewals since the cookie was copied, up to one more than may stay unshown.
    renewals: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Owner,
    Attacker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    /// Asked with the cookie at this place, and answered.
    Asks(Who, usize),
    /// Asked at the node that has not been told of the last change.
    AsksOtherNode(Who, usize),
    /// Asked, and the response is lost.
    AsksInVain(Who, usize),
    /// Asked, and the response is late.
    AsksAndWaits(Who, usize),
    /// The late response arrives.
    ResponseArrives(Who),
    /// A request is sent, and is late.
    Sends(Who, usize),
    /// The late request arrives, and is answered.
    RequestArrives(Who),
    /// So many seconds pass.
    Passes(i64),
}

/// Where a history leads to.
enum After {
    Goes(Box<World>),
    /// The session has ended.
    Ends,
}

impl Holder {
    fn receive(&mut self, who: Who, cookie: Cookie) {
        if who == Who::Owner {
            self.cookies.clear();
        }
        self.cookies.push(cookie);
        self.lost = 0;
    }
}

impl World {
    /// A session whose cookie is this old and has been seen for as long.
    fn new(is_copied: bool) -> Self {
        let cookie = Cookie {
            behind: 0,
            made_at: 0,
        };
        let holder = Holder {
            cookies: vec![cookie],
            ..Holder::default()
        };
        Self {
            row: Generations {
                newest: 1,
                newest_made_at: 0,
                newest_seen_at: Some(0),
                seen_before: 0,
            },
            stale: None,
            owner: holder.clone(),
            attacker: is_copied.then_some(holder),
            renewals: 0,
        }
    }

    fn holder(&mut self, who: Who) -> Option<&mut Holder> {
        match who {
            Who::Owner => Some(&mut self.owner),
            Who::Attacker => self.attacker.as_mut(),
        }
    }

    fn holders(&mut self) -> impl Iterator<Item = &mut Holder> {
        std::iter::once(&mut self.owner).chain(self.attacker.as_mut())
    }

    /// Shows a cookie to the server. The cookie of the response, if it has one.
    fn show(
        &mut self,
        rule: Rule,
        who: Who,
        cookie: Cookie,
        memory: Option<Generations>,
    ) -> Result<Option<Cookie>, Verdict> {
        let in_memory = memory.and_then(|row| {
            // In the row of before, the cookie is one generation nearer to the newest.
            let behind = cookie.behind - (self.row.newest - row.newest);
            let verdict = (behind >= 0).then(|| (rule.judge)(&row, Cookie { behind, ..cookie }))?;
            matches!(verdict, Verdict::Valid | Verdict::Due).then_some(verdict)
        });
        let before = self.row;
        let verdict = in_memory.unwrap_or_else(|| (rule.judge)(&before, cookie));
        let renews = match verdict {
            Verdict::Valid => false,
            Verdict::FirstSight => {
                self.row = before.seen(0);
                false
            }
            // The compare-and-set with a row of before changes nothing.
            Verdict::Due | Verdict::RenewalLost => in_memory.is_none(),
            over => return Err(over),
        };
        if renews {
            self.row = (rule.renew)(before, verdict == Verdict::RenewalLost);
        }
        let made = self.row.newest - before.newest;
        if made > 0 {
            self.renewals = (self.renewals + made).min(UNSHOWN_MAX + 1);
            for holder in self.holders() {
                holder.is_served = false;
                let under_way = holder.request.iter_mut().chain(&mut holder.response);
                let under_way = under_way.map(|(cookie, _)| cookie);
                for cookie in holder.cookies.iter_mut().chain(under_way) {
                    cookie.behind += made;
                }
            }
        }
        if self.row != before {
            self.stale = Some(before);
        }
        if let Some(holder) = self.holder(who) {
            holder.is_served = true;
        }
        Ok(renews.then_some(Cookie {
            behind: 0,
            made_at: self.row.newest_made_at,
        }))
    }

    /// Whether the event may happen here, as far as the holder tells without a try.
    fn may_happen(&self, event: Event) -> bool {
        let holder = |who| match who {
            Who::Owner => Some(&self.owner),
            Who::Attacker => self.attacker.as_ref(),
        };
        let is = |who, rule: &dyn Fn(&Holder) -> bool| holder(who).is_some_and(rule);
        match event {
            Event::Passes(_) => true,
            Event::ResponseArrives(who) => is(who, &|it| it.response.is_some()),
            Event::RequestArrives(who) => is(who, &|it| it.request.is_some()),
            Event::Asks(who, at) | Event::AsksInVain(who, at) => {
                is(who, &|it| at < it.cookies.len())
            }
            Event::AsksOtherNode(who, at) => {
                self.stale.is_some() && is(who, &|it| at < it.cookies.len())
            }
            Event::AsksAndWaits(who, at) => {
                is(who, &|it| at < it.cookies.len() && it.response.is_none())
            }
            Event::Sends(who, at) => is(who, &|it| at < it.cookies.len() && it.request.is_none()),
        }
    }

    /// What follows; `None` if the event cannot happen here.
    fn after(&self, rule: Rule, event: Event) -> Option<After> {
        if !self.may_happen(event) {
            return None;
        }
        let mut next = self.clone();
        match event {
            Event::Passes(seconds) => next.pass(seconds)?,
            Event::ResponseArrives(who) => {
                let holder = next.holder(who)?;
                let (cookie, _) = holder.response.take()?;
                holder.receive(who, cookie);
            }
            Event::Sends(who, at) => {
                let holder = next.holder(who)?;
                let cookie = *holder.cookies.get(at)?;
                holder.request = Some((cookie, 0));
            }
            Event::RequestArrives(who) => {
                let (cookie, _) = next.holder(who)?.request.take()?;
                match next.show(rule, who, cookie, None) {
                    Err(_) => return Some(After::Ends),
                    Ok(Some(cookie)) => next.holder(who)?.receive(who, cookie),
                    Ok(None) => {}
                }
            }
            Event::Asks(who, at)
            | Event::AsksOtherNode(who, at)
            | Event::AsksInVain(who, at)
            | Event::AsksAndWaits(who, at) => {
                let cookie = *next.holder(who)?.cookies.get(at)?;
                let memory = match event {
                    Event::AsksOtherNode(..) => Some(self.stale?),
                    _ => None,
                };
                let Ok(sent) = next.show(rule, who, cookie, memory) else {
                    return Some(After::Ends);
                };
                let is_single = next.attacker.is_none();
                let holder = next.holder(who)?;
                match (event, sent) {
                    // Without a cookie in it, a response is the same lost or late.
                    (Event::AsksInVain(..), sent) => {
                        sent?;
                        holder.lost = (holder.lost + 1).min(LOST_MAX + 1);
                        if is_single && holder.lost > LOST_MAX {
                            return None;
                        }
                    }
                    (Event::AsksAndWaits(..), sent) => holder.response = Some((sent?, 0)),
                    (_, Some(cookie)) => holder.receive(who, cookie),
                    (_, None) => {}
                }
            }
        }
        next.tidy();
        Some(After::Goes(Box::new(next)))
    }

    /// Lets time pass; `None` if something would be on its way for too long.
    fn pass(&mut self, seconds: i64) -> Option<()> {
        let earlier = |at: &mut i64| *at = (*at - seconds).max(-OLD_S);
        // Nodes hear of a change, or stop to trust their memory, within a second.
        self.stale = None;
        earlier(&mut self.row.newest_made_at);
        self.row.newest_seen_at.as_mut().map(earlier);
        for holder in self.holders() {
            holder
                .cookies
                .iter_mut()
                .for_each(|it| earlier(&mut it.made_at));
            for (cookie, since) in holder.request.iter_mut().chain(&mut holder.response) {
                earlier(&mut cookie.made_at);
                *since += seconds;
                if *since > ON_ITS_WAY_S {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Brings worlds that are alike to one form.
    fn tidy(&mut self) {
        let behind = self.row.newest - self.row.seen_before;
        if let Some(attacker) = &mut self.attacker {
            // Showing any other cookie ends the session at once, which serves no attacker.
            attacker
                .cookies
                .retain(|it| it.behind == 0 || it.behind == behind || it.behind == 1);
            attacker.cookies.sort_unstable();
            attacker.cookies.dedup();
            attacker.lost = 0;
        }
        let shift = self.row.newest;
        for row in std::iter::once(&mut self.row).chain(&mut self.stale) {
            row.newest -= shift;
            row.seen_before -= shift;
        }
    }
}

/// What a search found.
struct Found {
    worlds: usize,
    /// The shortest history that leads to what was looked for.
    history: Option<Vec<Event>>,
}

/// Goes through every history from here, the shortest first, until one leads to what is looked for, and
/// prints how many worlds it saw.
#[expect(
    clippy::print_stdout,
    reason = "the number tells a developer what the search covers"
)]
fn search(
    rule: Rule,
    events_max: usize,
    start: World,
    is_sought: impl Fn(&After) -> bool,
) -> Found {
    let mut events: Vec<Event> = PASSES_S.into_iter().map(Event::Passes).collect();
    for who in [Who::Owner, Who::Attacker] {
        events.extend([Event::ResponseArrives(who), Event::RequestArrives(who)]);
        for at in 0..3 {
            events.extend([
                Event::Asks(who, at),
                Event::AsksOtherNode(who, at),
                Event::AsksInVain(who, at),
                Event::AsksAndWaits(who, at),
                Event::Sends(who, at),
            ]);
        }
    }
    // Each world, and the event and world that led to it first.
    let mut seen: HashMap<Rc<World>, Option<(Rc<World>, Event)>> = HashMap::new();
    let start = Rc::new(start);
    let mut queue = VecDeque::from([(Rc::clone(&start), 0)]);
    seen.insert(start, None);
    while let Some((world, length)) = queue.pop_front() {
        if length == events_max {
            continue;
        }
        for event in &events {
            let Some(after) = world.after(rule, *event) else {
                continue;
            };
            if is_sought(&after) {
                let mut history = vec![*event];
                let mut at = &world;
                while let Some((before, event)) = &seen[at] {
                    history.push(*event);
                    at = before;
                }
                history.reverse();
                println!("{} worlds, and a history: {history:?}", seen.len());
                return Found {
                    worlds: seen.len(),
                    history: Some(history),
                };
            }
            if let After::Goes(next) = after
                && let Entry::Vacant(entry) = seen.entry(Rc::from(next))
            {
                queue.push_back((Rc::clone(entry.key()), length + 1));
                entry.insert(Some((Rc::clone(&world), *event)));
            }
        }
    }
    println!("{} worlds, and none is sought", seen.len());
    Found {
        worlds: seen.len(),
        history: None,
    }
}

/// Both holders were served after the fourth renewal since the copy.
fn serves_both(after: &After) -> bool {
    let After::Goes(world) = after else {
        return false;
    };
    let is_served = |holder: &Holder| holder.is_served;
    world.renewals > UNSHOWN_MAX
        && world.owner.is_served
        && world.attacker.as_ref().is_some_and(is_served)
}

#[test]
fn two_holders_of_a_cookie_are_not_both_served_past_the_third_renewal() {
    let found = search(RULE, EVENTS_MAX, World::new(true), serves_both);
    assert_eq!(found.history, None);
    assert!(found.worlds > 10_000, "{} worlds", found.worlds);
}

#[test]
fn a_single_browser_is_not_signed_out_by_renewals() {
    let is_over = |after: &After| matches!(after, After::Ends);
    let found = search(RULE, EVENTS_MAX, World::new(false), is_over);
    assert_eq!(found.history, None);
    assert!(found.worlds > 1_000, "{} worlds", found.worlds);
}

#[test]
fn sending_the_same_cookie_again_would_serve_two_holders_for_ever() {
    let found = search(
        RULE_BEFORE,
        EVENTS_MAX_BEFORE,
        World::new(true),
        serves_both,
    );
    assert!(found.history.is_some());
}
