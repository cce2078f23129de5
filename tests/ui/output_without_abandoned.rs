//! The output types of two pools do not implement `Abandoned`.

use value_future::{Completion, Pool};

struct Client {
    pool: Pool<u64>,
}

impl Client {
    fn ask(&self) -> Completion<u64> {
        self.pool.rent().1
    }
}

fn main() {
    let client = Client { pool: Pool::<u64>::new() };
    client.ask();
    Pool::<Result<u64, String>>::new().rent();
}
