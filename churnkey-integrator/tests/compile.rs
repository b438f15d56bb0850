//! What must not compile, and the compiler's message for it.

#[test]
fn forgetting_or_misplacing_the_attribute_is_a_compile_error_that_names_the_fix() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile/forgotten_attribute.rs");
    cases.compile_fail("tests/compile/forgotten_attribute_on_an_action.rs");
    cases.compile_fail("tests/compile/misspelt_method.rs");
    cases.compile_fail("tests/compile/misspelt_form_of_an_action.rs");
    cases.compile_fail("tests/compile/no_controller.rs");
    cases.compile_fail("tests/compile/missing_async.rs");
    cases.compile_fail("tests/compile/unknown_argument.rs");
    cases.pass("tests/compile/renamed_dependency.rs");
    cases.pass("tests/compile/generic_controller.rs");
}
