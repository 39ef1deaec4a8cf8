//! A list that shares its tail: the two ends of the queues are made of it.

use std::sync::Arc;

/// An immutable singly linked list. A clone is one more reference to its first node.
pub(super) struct List<T> {
    first: Option<Arc<Node<T>>>,
}

struct Node<T> {
    value: T,
    rest: List<T>,
}

impl<T: Clone> List<T> {
    pub(super) const EMPTY: List<T> = List { first: None };

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// This list with `value` in front.
    pub(super) fn push(self, value: T) -> List<T> {
        List { first: Some(Arc::new(Node { value, rest: self })) }
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.first.as_ref().map(|node| &node.value)
    }

    /// The first value and the list after it.
    pub(super) fn pop(&self) -> Option<(T, List<T>)> {
        self.first.as_ref().map(|node| (node.value.clone(), node.rest.clone()))
    }

    /// The same values in the opposite order.
    pub(super) fn reversed(&self) -> List<T> {
        self.iter().fold(List::EMPTY, |list, value| list.push(value.clone()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut list = self;
        std::iter::from_fn(move || {
            let node = list.first.as_ref()?;
            list = &node.rest;
            Some(&node.value)
        })
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        List { first: self.first.clone() }
    }
}

impl<T> Drop for List<T> {
    /// Node by node: the destructor that the compiler makes would recurse once for each.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(node) = next {
            next = Arc::into_inner(node).and_then(|mut node| node.rest.first.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_a_million_is_dropped_without_recursion() {
        let list = (0..1_000_000).fold(List::EMPTY, List::push);
        assert_eq!(list.iter().count(), 1_000_000);
        assert_eq!(list.reversed().first(), Some(&0));
    }

    #[test]
    fn a_shared_tail_outlives_the_lists_before_it() {
        let tail = List::EMPTY.push(1);
        let longer = tail.clone().push(2);
        drop(longer);
        assert_eq!(tail.iter().collect::<Vec<_>>(), [&1]);
    }
}
