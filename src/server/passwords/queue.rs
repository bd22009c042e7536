//! The queue of passwords to hash: shared by two classes, and within each by networks.
//!
//! Each class has places that the other cannot take. Within a class the networks take turns, and in a
//! full queue the network with the most places gives one up to a network with fewer.

use crate::server::limits::Network;
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Who asks for a hash.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    class: Class,
    network: Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Anonymous,
    Known,
}

impl Asker {
    /// An anonymous visitor.
    pub fn anonymous(address: IpAddr) -> Self {
        let (class, network) = (Class::Anonymous, Network::of(address));
        Self { class, network }
    }

    /// A signed-in user, a known browser or the operator.
    pub fn known(address: IpAddr) -> Self {
        let (class, network) = (Class::Known, Network::of(address));
        Self { class, network }
    }
}

/// Jobs that wait.
pub(super) struct Queue<J> {
    anonymous: Line<J>,
    known: Line<J>,
    last: Class,
}

/// Jobs of one class, by their turn.
struct Line<J> {
    waiting: VecDeque<Waiting<J>>,
    /// Turn of the job that was taken last.
    turn: usize,
    /// The last turn given to each network, unless it is over.
    given: HashMap<Network, usize>,
}

struct Waiting<J> {
    network: Network,
    turn: usize,
    job: J,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self {
            anonymous: Line::default(),
            known: Line::default(),
            last: Class::Known,
        }
    }
}

impl<J> Default for Line<J> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            turn: 0,
            given: HashMap::new(),
        }
    }
}

impl<J> Queue<J> {
    /// Adds a job. A network's first job waits for one job of each other network, its second for two.
    /// It never gets the turn that goes on, so that new networks hold up no later turn.
    pub fn push(&mut self, asker: Asker, job: J) {
        let line = self.line(asker.class);
        let network = asker.network;
        let given = line.given.get(&network).copied().unwrap_or_default();
        let turn = line.turn.max(given) + 1;
        line.given.insert(network, turn);
        let at = line.waiting.partition_point(|other| other.turn <= turn);
        let waiting = Waiting { network, turn, job };
        line.waiting.insert(at, waiting);
    }

    /// Takes the next job, of one class after the other.
    pub fn pop(&mut self) -> Option<J> {
        let next = match self.last {
            Class::Anonymous => [Class::Known, Class::Anonymous],
            Class::Known => [Class::Anonymous, Class::Known],
        };
        for class in next {
            let line = self.line(class);
            if let Some(Waiting { turn, job, .. }) = line.waiting.pop_front() {
                if line.turn != turn {
                    line.turn = turn;
                    line.given.retain(|_, given| *given >= turn);
                }
                self.last = class;
                return Some(job);
            }
        }
        None
    }

    /// Takes away the last job of the network with the most, if it has at least two more than the
    /// asker's.
    pub fn displace_for(&mut self, asker: Asker) -> Option<J> {
        let line = self.line(asker.class);
        let mut counts = HashMap::new();
        for waiting in &line.waiting {
            *counts.entry(waiting.network).or_insert(0) += 1;
        }
        let own = line.count(asker.network);
        let (largest, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        if count < own + 2 {
            return None;
        }
        let mut waiting = line.waiting.iter();
        let at = waiting.rposition(|it| it.network == largest)?;
        let Waiting { turn, job, .. } = line.waiting.remove(at)?;
        line.given.insert(largest, turn - 1);
        Some(job)
    }

    fn line(&mut self, class: Class) -> &mut Line<J> {
        match class {
            Class::Anonymous => &mut self.anonymous,
            Class::Known => &mut self.known,
        }
    }
}

impl<J> Line<J> {
    fn count(&self, network: Network) -> usize {
        let waiting = self.waiting.iter();
        waiting.filter(|it| it.network == network).count()
    }
}

/// Places for jobs that wait or are at work.
pub(super) struct Places {
    in_all: usize,
    of_one_class: usize,
    taken: [Arc<AtomicUsize>; 2],
}

/// A place, until it is dropped.
pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    /// For each class one place a core and one for each job that may wait. Where one class has taken all of
    /// its places, a quarter as many are left to the other.
    pub fn new(cores: usize, queue: usize) -> Self {
        let of_one_class = cores + queue;
        Self {
            in_all: of_one_class + (queue / 4).max(1),
            of_one_class,
            taken: Default::default(),
        }
    }

    /// Whether there is none for this asker. Asked, and taken, by one thread at a time.
    pub fn are_full_for(&self, asker: Asker) -> bool {
        let own = self.of(asker).load(Ordering::Acquire);
        own >= self.of_one_class || self.taken() >= self.in_all
    }

    /// Takes a place.
    pub fn take(&self, asker: Asker) -> Place {
        let taken = Arc::clone(self.of(asker));
        taken.fetch_add(1, Ordering::AcqRel);
        Place(taken)
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        let taken = self.taken.iter();
        taken.map(|taken| taken.load(Ordering::Acquire)).sum()
    }

    fn of(&self, asker: Asker) -> &Arc<AtomicUsize> {
        &self.taken[usize::from(asker.class == Class::Known)]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
