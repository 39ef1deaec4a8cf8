//! The steps of each race that has a witness, as it noted them.

macro_rules! steps {
    ($($id:literal $file:literal)*) => {
        /// Races, and the text of their files in `docs/races/steps/`.
        pub(crate) const STEPS: &[(&str, &str)] = &[$((
            $id,
            include_str!(concat!("../../../../docs/races/steps/", $file, ".tsv")),
        )),*];
    };
}

// The table is written by `UPDATE_RACES=1 cargo test --test races_docs`.
steps! {
    "RACE-1" "race_01"
}
