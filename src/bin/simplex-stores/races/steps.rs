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
    "RACE-2" "race_02"
    "RACE-3" "race_03"
    "RACE-4" "race_04"
    "RACE-5" "race_05"
    "RACE-6" "race_06"
    "RACE-19" "race_19"
    "RACE-20" "race_20"
    "RACE-21" "race_21"
    "RACE-22" "race_22"
    "RACE-23" "race_23"
    "RACE-24" "race_24"
    "RACE-25" "race_25"
    "RACE-26" "race_26"
    "RACE-27" "race_27"
    "RACE-28" "race_28"
    "RACE-29" "race_29"
    "RACE-31" "race_31"
    "RACE-32" "race_32"
    "RACE-34" "race_34"
    "RACE-35" "race_35"
    "RACE-36" "race_36"
    "RACE-37" "race_37"
    "RACE-38" "race_38"
    "RACE-39" "race_39"
    "RACE-40" "race_40"
    "RACE-41" "race_41"
    "RACE-42" "race_42"
    "RACE-46" "race_46"
    "RACE-48" "race_48"
    "RACE-53" "race_53"
    "RACE-63" "race_63"
    "RACE-64" "race_64"
    "RACE-65" "race_65"
    "RACE-66" "race_66"
    "RACE-67" "race_67"
    "RACE-68" "race_68"
    "RACE-70" "race_70"
}
