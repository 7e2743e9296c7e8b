//! The repositories that are open, up to a number.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::config::Git;
use crate::lru::Lru;
use crate::repository::{OpenError, ReadLimits, Repository};

type Slot = Arc<OnceCell<Arc<Repository>>>;

/// Opens each repository once and closes the one used least recently when there
/// are too many; who still holds its [`Arc`] keeps it until then.
#[derive(Debug)]
pub struct Repositories {
    git: Git,
    limits: ReadLimits,
    open: Mutex<Lru<PathBuf, Slot>>,
}

impl Repositories {
    /// A pool of at most `capacity` open repositories.
    pub fn new(git: Git, capacity: usize) -> Self {
        Self::with_limits(git, capacity, ReadLimits::default())
    }

    /// [`Repositories::new`] with other time limits.
    pub fn with_limits(git: Git, capacity: usize, limits: ReadLimits) -> Self {
        Self {
            git,
            limits,
            open: Mutex::new(Lru::new(capacity)),
        }
    }

    /// The repository at `dir`, opened if it is not. Callers that ask for the same
    /// one together share the opening; a failure is not remembered.
    pub async fn get(&self, dir: &Path) -> Result<Arc<Repository>, OpenError> {
        let slot = self.slot(dir);
        let open = async {
            let repository = Repository::open_with(&self.git, dir, self.limits).await?;
            Ok(Arc::new(repository))
        };
        let opened = slot.get_or_try_init(|| open).await.map(Arc::clone);
        if opened.is_err() {
            self.forget(dir);
        }
        opened
    }

    /// Closes the repository at `dir`, to be opened afresh when asked for again.
    pub fn forget(&self, dir: &Path) {
        self.lock().remove(dir);
    }

    fn slot(&self, dir: &Path) -> Slot {
        let mut open = self.lock();
        if let Some(slot) = open.get(dir) {
            return slot;
        }
        let slot = Slot::default();
        open.put(dir.to_owned(), Arc::clone(&slot), 1);
        slot
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lru<PathBuf, Slot>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
