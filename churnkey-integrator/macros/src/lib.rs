//! The `#[controller]` attribute of `churnkey-integrator`. Use it from there: it is re-exported.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::{format_ident, quote};
use syn::{Error, Ident, ImplItem, ItemImpl, parse_macro_input};

/// Turns an `impl` of a Churnkey trait into one that can be mounted.
///
/// It does two things and nothing else: it applies `async_trait`, and it implements `Serves` from
/// the names of the async methods that the block really has, so that the features manifest lists what
/// is there. It goes where `#[async_trait]` would go, on controllers and on actions.
#[proc_macro_attribute]
pub fn controller(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = Tokens::from(arguments);
    let block = parse_macro_input!(item as ItemImpl);
    if !arguments.is_empty() {
        return Error::new_spanned(arguments, "`#[controller]` takes no arguments")
            .into_compile_error()
            .into();
    }
    expand(&block)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn expand(block: &ItemImpl) -> Result<Tokens, Error> {
    let operations = operations_of(block)?;
    let (generics, _, bounds) = block.generics.split_for_impl();
    let served_by = &block.self_ty;
    let served = block.items.iter().filter_map(|item| match item {
        // What is not async declares something, such as the features of an action, and serves nothing.
        ImplItem::Fn(method) if method.sig.asyncness.is_some() => Some(method),
        _ => None,
    });
    let served = served.map(|method| {
        // A method that is compiled out is not served.
        let conditions = method.attrs.iter().filter(|a| a.path().is_ident("cfg"));
        let variant = camel_case(&method.sig.ident);
        quote!(#(#conditions)* ::churnkey_integrator::#operations::#variant)
    });
    Ok(quote! {
        #[::churnkey_integrator::async_trait]
        #block

        impl #generics ::churnkey_integrator::Serves<::churnkey_integrator::#operations>
            for #served_by #bounds
        {
            fn operations(&self) -> &'static [::churnkey_integrator::#operations] {
                &[#(#served),*]
            }
        }
    })
}

/// `CustomersController` is described by `CustomersOperation`, `CancelAction` by `CancelOperation`.
fn operations_of(block: &ItemImpl) -> Result<Ident, Error> {
    let cure = "`#[controller]` goes on an `impl` of a Churnkey trait, such as \
                `impl CustomersController for MyStore { .. }`";
    let Some((_, path, _)) = &block.trait_ else {
        return Err(Error::new_spanned(&block.self_ty, cure));
    };
    let Some(name) = path.segments.last().map(|s| s.ident.to_string()) else {
        return Err(Error::new_spanned(path, cure));
    };
    let subject = name.strip_suffix("Controller");
    match subject.or_else(|| name.strip_suffix("Action")) {
        Some(resource) => Ok(format_ident!("{resource}Operation")),
        None => Err(Error::new_spanned(path, cure)),
    }
}

/// `find_by_email` is `FindByEmail`, at the method's place, so that a wrong name is reported there.
fn camel_case(method: &Ident) -> Ident {
    let name = method.to_string();
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    let span: Span = method.span();
    Ident::new(&words.collect::<String>(), span)
}
