//! The labels under which the store's transactions are counted; see [`labels`](crate::stm::labels).

use crate::stm::Label;

macro_rules! labels {
    ($($label:ident $name:literal)*) => {
        $(pub(super) static $label: Label = Label::new(concat!("queue_store.", $name));)*
    };
}

labels! {
    TRANSACT "transact"
    ADD_QUEUE "add_queue"
    ADD_LINK_DATA "add_link_data"
    DELETE_LINK_DATA "delete_link_data"
    SECURE_QUEUE "secure_queue"
    UPDATE_KEYS "update_keys"
    ADD_NOTIFIER "add_notifier"
    DELETE_NOTIFIER "delete_notifier"
    SUSPEND_QUEUE "suspend_queue"
    BLOCK_QUEUE "block_queue"
    UNBLOCK_QUEUE "unblock_queue"
    UPDATE_TIME "update_time"
    DELETE_QUEUE "delete_queue"
    GET_OR_CREATE_SERVICE "get_or_create_service"
    SET_QUEUE_SERVICE "set_queue_service"
}
