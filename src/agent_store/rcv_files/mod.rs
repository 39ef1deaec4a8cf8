//! Files that are received (section 4.12): a file, its chunks, and the replicas that a chunk can be downloaded
//! from.
//!
//! | file | operations |
//! |---|---|
//! | `create` | files, and what is inserted below them (F-160, F-161, F-171) |
//! | `load` | a file with everything below it (F-162 to F-165) |
//! | `change` | how far a file has come, and removing it (F-166 to F-174) |
//! | `work` | what is to be downloaded and decrypted next (F-175 to F-177) |
//! | `cleanup` | what is left on the device (F-178 to F-180) |

mod change;
mod cleanup;
mod create;
mod load;
mod work;

pub use create::{NewRcvFile, NewRcvFileRedirect};
