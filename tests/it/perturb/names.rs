//! How kinds are asked for.

use thrash::domain::{PerturbationGroup, PerturbationKind as Kind};
use thrash::suite::perturb::Kinds;

#[test]
fn groups_and_short_names_stand_for_their_kinds() {
    let listed = |names: &str| names.parse::<Kinds>().unwrap().to_string();
    assert_eq!(listed("case"), "case_upper,case_lower");
    assert_eq!(listed("space, leet"), "space_add,space_drop,leet");
    assert_eq!(listed("unicode"), "zero_width,homoglyph,full_width,combining,soft_hyphen,rtl");
    assert_eq!(listed("direction,lol"), "intensify,resolve,lol");
    assert_eq!(listed("Filler-Before"), "filler_before");
    for short in ["typo", "emoji", "elongate", "prefix", "identity"] {
        assert_eq!(listed(short), short);
    }
    assert_eq!("typing,unicode,wording,direction".parse::<Kinds>().unwrap(), Kinds::all());
    assert_eq!("all".parse::<Kinds>().unwrap().iter().collect::<Vec<_>>(), Kind::ALL);
}

#[test]
fn an_unknown_name_is_told_the_nearest() {
    let said = |names: &str| names.parse::<Kinds>().unwrap_err().to_string();
    assert_eq!(said("typo,emojy"), "`emojy` is no kind of perturbation; did you mean `emoji`?");
    assert_eq!(said("tipo"), "`tipo` is no kind of perturbation; did you mean `typo`?");
    assert!(said("").contains("known here: all, typing"));
    let one = "homoglyf".parse::<Kind>().unwrap_err().to_string();
    assert_eq!(one, "`homoglyf` is no kind of perturbation; did you mean `homoglyph`?");
}

#[test]
fn every_name_is_a_word_of_its_own() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse::<Kind>().unwrap(), kind);
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert!(kind.as_str().parse::<Kinds>().unwrap().iter().eq([kind]), "{kind}");
    }
    for group in PerturbationGroup::ALL {
        assert_eq!(serde_json::to_value(group).unwrap(), group.as_str());
        assert!(group.as_str().parse::<Kinds>().unwrap().iter().all(|kind| kind.group() == group));
    }
}

#[test]
fn a_configuration_names_them_as_a_list_or_in_one_line() {
    let listed: Kinds = serde_json::from_str(r#"["case", "emoji"]"#).unwrap();
    assert_eq!(listed, serde_json::from_str::<Kinds>(r#""case,emoji""#).unwrap());
    assert_eq!(serde_json::to_string(&listed).unwrap(), r#"["case_upper","case_lower","emoji"]"#);
}
