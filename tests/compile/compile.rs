//! What must not compile, and the compiler's message for it.

#[test]
fn forgetting_or_misplacing_the_attribute_is_a_compile_error_that_names_the_fix() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("cases/forgotten_attribute.rs");
    cases.compile_fail("cases/forgotten_attribute_on_an_action.rs");
    cases.compile_fail("cases/misspelt_method.rs");
    cases.compile_fail("cases/misspelt_form_of_an_action.rs");
    cases.compile_fail("cases/no_controller.rs");
    cases.compile_fail("cases/missing_async.rs");
    cases.compile_fail("cases/unknown_argument.rs");
    cases.pass("cases/renamed_dependency.rs");
    cases.pass("cases/generic_controller.rs");
}
