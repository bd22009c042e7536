//! Argon2id, on blocking threads and behind a bound.
//!
//! Each hash holds 19 MiB and a core for some 25 ms, so as many run at once as there are cores,
//! a short queue waits, and the rest is told to come back. The blocks are reused while there is
//! work and given back when it is quiet.

mod queue;

pub use queue::Asker;

use super::{
    config::Passwords,
    error::Error,
    fields::{NewPassword, TypedPassword},
    random::Random,
};
use crate::wire::{self, Problem};
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use queue::{Places, Queue};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// The most that a stored hash may ask for: verifying uses the stored parameters, and a planted
/// row must not be able to take 4 GiB (security.md PW-2).
pub const MEMORY_MAX_KIB: u32 = 256 * 1024;
/// The same for its passes.
pub const ITERATIONS_MAX: u32 = 16;
/// The same for its lanes.
pub const LANES_MAX: u32 = 8;
const OUTPUT_LEN: usize = 32;
/// Unused blocks are given back after this long without a hash.
const QUIET: Duration = Duration::from_secs(5);

/// Hashes and verifies passwords within the machine's means.
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    params: Params,
    random: Random,
    /// As many workers at once.
    cores: usize,
    places: Places,
    desk: Mutex<Desk>,
    /// Memory that Argon2 filled since the start, in KiB.
    filled_kib: AtomicU64,
}

/// Parameters of a hash, which say how long verifying takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Cost {
    fn of(params: &Params) -> Self {
        Self {
            memory_kib: params.m_cost(),
            iterations: params.t_cost(),
            lanes: params.p_cost(),
        }
    }

    /// Reads the parameters of a stored hash.
    ///
    /// # Errors
    /// [`Error::StoredHash`] if it is refused.
    pub fn of_stored(stored: &str) -> Result<Self, Error> {
        Stored::read(stored).map(|stored| Self::of(&stored.params))
    }

    fn params(self) -> Result<Params, argon2::Error> {
        Params::new(
            self.memory_kib,
            self.iterations,
            self.lanes,
            Some(OUTPUT_LEN),
        )
    }
}

/// What waits, who is at work, and the blocks that nobody works with.
#[derive(Default)]
struct Desk {
    waiting: Queue<Job>,
    workers: usize,
    memory: Vec<Vec<Block>>,
}

/// Computes a hash, or refuses to where it is given nothing to compute with.
type Job = Box<dyn FnOnce(Option<(&Inner, &mut Vec<Block>)>) + Send>;

/// What a verification found.
pub struct Verified {
    /// The password was right.
    pub is_right: bool,
    /// A hash of the normalised password with today's parameters, where the stored one was another
    /// and the password right.
    pub renewed_hash: Option<String>,
}

impl Hasher {
    /// Makes the bound.
    ///
    /// # Errors
    /// If the parameters are not ones that Argon2 knows.
    pub fn new(settings: &Passwords, random: Random) -> Result<Self, Error> {
        // `Config::broken_rule` holds them to the caps above.
        let params = Params::new(
            settings.memory_kib,
            settings.iterations,
            settings.lanes,
            Some(OUTPUT_LEN),
        )
        .map_err(|_| {
            Error::Config("[passwords] memory_kib, iterations, lanes: no such Argon2id".to_owned())
        })?;
        let cores = match settings.hashes_at_once {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            set => set as usize,
        };
        Ok(Self(Arc::new(Inner {
            params,
            random,
            cores,
            places: Places::new(cores, settings.queue as usize),
            desk: Mutex::default(),
            filled_kib: AtomicU64::new(0),
        })))
    }

    /// Reads a new password and hashes it into a PHC string. Reading it is in here because it
    /// judges how soon the password is guessed, which a hostile one can make as long as hashing.
    ///
    /// # Errors
    /// [`wire::Error::Busy`] when the queue is full.
    pub async fn hash(
        &self,
        read: impl FnOnce() -> Result<NewPassword, Problem> + Send + 'static,
        asker: Asker,
    ) -> Result<Result<String, Problem>, Error> {
        self.run(asker, move |inner, memory| match read() {
            Ok(password) => inner.hash(password.as_bytes(), memory).map(Ok),
            Err(problem) => Ok(Err(problem)),
        })
        .await
    }

    /// Verifies a password against a stored hash. One that was typed in another normal form is tried as it was typed as well, because old hashes are made of
    /// that: twice the cost, whether the account exists or not.
    ///
    /// # Errors
    /// [`wire::Error::Busy`] when the queue is full; [`Error::StoredHash`] if the stored text is
    /// not one that we would make, or asks for more than we may give.
    pub async fn verify(
        &self,
        password: TypedPassword,
        stored: String,
        asker: Asker,
    ) -> Result<Verified, Error> {
        self.run(asker, move |inner, memory| {
            let (mut is_right, mut is_current) =
                inner.verify(password.as_bytes(), &stored, memory)?;
            if let Some(typed) = password.as_typed() {
                let (is_right_as_typed, _) = inner.verify(typed, &stored, memory)?;
                is_current &= is_right;
                is_right |= is_right_as_typed;
            }
            let renewed_hash = if is_right && !is_current {
                Some(inner.hash(password.as_bytes(), memory)?)
            } else {
                None
            };
            Ok(Verified {
                is_right,
                renewed_hash,
            })
        })
        .await
    }

    /// Parameters of new hashes.
    pub fn cost(&self) -> Cost {
        Cost::of(&self.0.params)
    }

    /// Makes a hash of these parameters that no known password fits.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn stand_in(&self, cost: Cost) -> Result<String, Error> {
        let params = cost.params().map_err(|_| Error::Crypto("argon2"))?;
        let random = &self.0.random;
        let salt = Salt::new(&random.bytes::<16>()?).map_err(|_| Error::Crypto("salt"))?;
        phc(&params, &salt, &random.bytes::<OUTPUT_LEN>()?)
    }

    /// Memory that Argon2 filled since the start, in KiB: what hashing and verifying cost.
    pub fn filled_kib(&self) -> u64 {
        self.0.filled_kib.load(Ordering::Relaxed)
    }

    /// How many are being hashed, or wait.
    pub fn in_hand(&self) -> usize {
        self.0.places.taken()
    }

    async fn run<T: Send + 'static>(
        &self,
        asker: Asker,
        job: impl FnOnce(&Inner, &mut Vec<Block>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || wire::Error::Busy { retry_after_s: 2 };
        let (tell, told) = oneshot::channel();
        let is_short_of_workers = {
            let mut desk = self.0.desk();
            if self.0.places.are_full_for(asker) {
                let displaced = desk.waiting.displace_for(asker);
                displaced.ok_or_else(busy)?(None);
            }
            // The place goes along: an aborted request drops its future, and the hash that goes on must
            // still be counted. One that has not begun is left.
            let place = self.0.places.take(asker);
            let job = move |means: Option<(&Inner, &mut Vec<Block>)>| {
                if tell.is_closed() {
                    return;
                }
                let done = match means {
                    Some((inner, memory)) => job(inner, memory),
                    None => Err(busy().into()),
                };
                drop(place);
                // The client may have hung up meanwhile.
                let _ = tell.send(done);
            };
            desk.waiting.push(asker, Box::new(job));
            let is_short = desk.workers < self.0.cores;
            desk.workers += usize::from(is_short);
            is_short
        };
        if is_short_of_workers {
            let inner = Arc::clone(&self.0);
            tokio::task::spawn_blocking(move || {
                inner.work();
                give_back_when_quiet(inner);
            });
        }
        told.await?
    }
}

/// Frees the blocks when nothing has been hashed for a while.
fn give_back_when_quiet(inner: Arc<Inner>) {
    if inner.is_idle() {
        tokio::spawn(async move {
            tokio::time::sleep(QUIET).await;
            if inner.is_idle() {
                inner.desk().memory.clear();
            }
        });
    }
}

impl Inner {
    /// Does what waits, one after the other, until nothing does: a core that had to be handed
    /// over from thread to thread would rest for a tenth of the time.
    fn work(&self) {
        let mut memory = self.desk().memory.pop().unwrap_or_default();
        loop {
            let job = {
                let mut desk = self.desk();
                let Some(job) = desk.waiting.pop() else {
                    desk.workers -= 1;
                    desk.memory.push(memory);
                    return;
                };
                job
            };
            // A job that panics is an error for whoever waits for it, and for nobody else.
            let _ = catch_unwind(AssertUnwindSafe(|| job(Some((self, &mut memory)))));
        }
    }

    fn is_idle(&self) -> bool {
        self.places.taken() == 0
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, password: &[u8], memory: &mut Vec<Block>) -> Result<String, Error> {
        let salt = self.random.bytes::<16>()?;
        let output = self.compute(&self.params, password, &salt, memory)?;
        phc(
            &self.params,
            &Salt::new(&salt).map_err(|_| Error::Crypto("salt"))?,
            &output,
        )
    }

    /// Whether the password is right, and whether the hash is of today's parameters.
    fn verify(
        &self,
        password: &[u8],
        stored: &str,
        memory: &mut Vec<Block>,
    ) -> Result<(bool, bool), Error> {
        let stored = Stored::read(stored)?;
        let output = self.compute(&stored.params, password, &stored.salt, memory)?;
        let expected = stored.output.as_bytes();
        let is_right = aws_lc_rs::constant_time::verify_slices_are_equal(&output, expected).is_ok();
        let is_current = Cost::of(&stored.params) == Cost::of(&self.params);
        Ok((is_right, is_current))
    }

    fn compute(
        &self,
        params: &Params,
        password: &[u8],
        salt: &[u8],
        memory: &mut Vec<Block>,
    ) -> Result<[u8; OUTPUT_LEN], Error> {
        memory.resize(params.block_count().max(memory.len()), Block::new());
        let mut output = [0; OUTPUT_LEN];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(
                password,
                salt,
                &mut output,
                &mut memory[..params.block_count()],
            )
            .map_err(|_| Error::Crypto("argon2"))?;
        let filled_kib = u64::from(params.m_cost()) * u64::from(params.t_cost());
        self.filled_kib.fetch_add(filled_kib, Ordering::Relaxed);
        Ok(output)
    }
}

/// A stored hash that may be verified.
struct Stored {
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    fn read(stored: &str) -> Result<Self, Error> {
        let stored =
            PasswordHash::new(stored).map_err(|_| Error::StoredHash("not a PHC string"))?;
        let version = stored.version == Some(Version::V0x13.into());
        if stored.algorithm != Algorithm::Argon2id.ident() || !version {
            return Err(Error::StoredHash("not Argon2id version 19"));
        }
        let params = Params::try_from(&stored).map_err(|_| Error::StoredHash("parameters"))?;
        if params.m_cost() > MEMORY_MAX_KIB
            || params.t_cost() > ITERATIONS_MAX
            || params.p_cost() > LANES_MAX
        {
            return Err(Error::StoredHash("parameters above the cap"));
        }
        let (Some(salt), Some(output)) = (stored.salt, stored.hash) else {
            return Err(Error::StoredHash("no salt or no hash"));
        };
        if output.as_bytes().len() != OUTPUT_LEN {
            return Err(Error::StoredHash("length of the output"));
        }
        Ok(Self {
            params,
            salt,
            output,
        })
    }
}

fn phc(params: &Params, salt: &Salt, output: &[u8]) -> Result<String, Error> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|_| Error::Crypto("argon2"))?,
        salt: Some(*salt),
        hash: Some(Output::new(output).map_err(|_| Error::Crypto("argon2"))?),
    };
    Ok(hash.to_string())
}
