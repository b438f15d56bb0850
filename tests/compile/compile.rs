//! What `#[controller]` takes, and what must not compile, with the compiler's message for it.

mod generic_controller;
mod renamed_dependency;

#[test]
fn forgetting_or_misplacing_the_attribute_is_a_compile_error_that_names_the_fix() {
    // With `cases.pass(..)` for even one of them, trybuild would build all dependencies instead of checking them.
    let cases = trybuild::TestCases::new();
    cases.compile_fail("cases/forgotten_attribute.rs");
    cases.compile_fail("cases/forgotten_attribute_on_an_action.rs");
    cases.compile_fail("cases/misspelt_method.rs");
    cases.compile_fail("cases/misspelt_form_of_an_action.rs");
    cases.compile_fail("cases/no_controller.rs");
    cases.compile_fail("cases/missing_async.rs");
    cases.compile_fail("cases/unknown_argument.rs");
}
