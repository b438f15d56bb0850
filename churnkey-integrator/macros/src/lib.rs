//! The `#[controller]` attribute of `churnkey-integrator`. Use it from there: it is re-exported.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::{format_ident, quote};
use syn::{
    Error, Ident, ImplItem, ImplItemFn, ItemImpl, Path, Token,
    parse::{Parse, ParseStream},
    parse_macro_input, parse_quote,
};

/// Turns an `impl` of a Churnkey trait into one that can be mounted.
///
/// It applies `async_trait`, and it implements `Serves` from the names of the block's async methods, so that the features
/// manifest lists the methods that are implemented. Put it where `#[async_trait]` would be, on controllers and on actions.
///
/// If the dependency has another name, or is re-exported by another crate, say which:
/// `#[controller(crate = my_framework::churnkey)]`.
#[proc_macro_attribute]
pub fn controller(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let Library(library) = parse_macro_input!(arguments as Library);
    let block = parse_macro_input!(item as ItemImpl);
    expand(&block, &library)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// The path of the library.
struct Library(Path);

impl Parse for Library {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        if input.is_empty() {
            return Ok(Self(parse_quote!(::churnkey_integrator)));
        }
        let rule = "`#[controller]` takes nothing but the library's path: \
                    `#[controller(crate = other_name)]`";
        let path = || {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            let path = input.call(Path::parse_mod_style)?;
            match input.is_empty() {
                true => Ok(Self(path)),
                false => Err(input.error(rule)),
            }
        };
        path().map_err(|error| Error::new(error.span(), rule))
    }
}

fn expand(block: &ItemImpl, library: &Path) -> Result<Tokens, Error> {
    let operations = operations_of(block)?;
    let (generics, _, bounds) = block.generics.split_for_impl();
    let served_by = &block.self_ty;
    let methods = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    });
    if let Some(method) = methods.clone().find(|method| lacks_async(method)) {
        let name = &method.sig.ident;
        let fix = format!("write `async fn {name}`: `#[controller]` serves async methods only");
        return Err(Error::new_spanned(method.sig.fn_token, fix));
    }
    let served = methods.filter(|method| method.sig.asyncness.is_some());
    let served = served.map(|method| {
        // A method that is compiled out is not served.
        let conditions = method.attrs.iter().filter(|a| a.path().is_ident("cfg"));
        let variant = camel_case(&method.sig.ident);
        quote!(#(#conditions)* #library::#operations::#variant)
    });
    Ok(quote! {
        #[#library::async_trait]
        #block

        impl #generics #library::Serves<#library::#operations>
            for #served_by #bounds
        {
            fn operations(&self) -> &'static [#library::#operations] {
                &[#(#served),*]
            }
        }
    })
}

/// A method with no argument but `&self` declares something, such as the features of an action. One with more arguments is
/// an operation, and has to be async.
fn lacks_async(method: &ImplItemFn) -> bool {
    method.sig.asyncness.is_none() && method.sig.inputs.len() > 1
}

/// The operations of `CustomersController` are `CustomersOperation`, those of `CancelAction` are `CancelOperation`.
fn operations_of(block: &ItemImpl) -> Result<Ident, Error> {
    let fix = "`#[controller]` goes on an `impl` of a Churnkey trait, such as \
               `impl CustomersController for MyStore { .. }`";
    let Some((_, path, _)) = &block.trait_ else {
        return Err(Error::new_spanned(&block.self_ty, fix));
    };
    let Some(name) = path.segments.last().map(|s| s.ident.to_string()) else {
        return Err(Error::new_spanned(path, fix));
    };
    let subject = name.strip_suffix("Controller");
    match subject.or_else(|| name.strip_suffix("Action")) {
        Some(resource) => Ok(format_ident!("{resource}Operation")),
        None => Err(Error::new_spanned(path, fix)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_path_replaces_the_librarys_usual_name() {
        let block: ItemImpl = parse_quote! {
            impl CustomersController for Shop {
                async fn retrieve(&self, cx: &Context) {}
                fn declares(&self) {}
            }
        };
        let expanded = |arguments: &str| {
            let Library(library) = syn::parse_str(arguments).unwrap();
            expand(&block, &library).unwrap().to_string()
        };
        let usual = expanded("");
        assert_eq!(usual.matches(":: churnkey_integrator ::").count(), 5);
        let renamed = expanded("crate = crate::other::name");
        assert!(!renamed.contains("churnkey_integrator"), "{renamed}");
        let other = usual.replace(":: churnkey_integrator ::", "crate :: other :: name ::");
        assert_eq!(renamed, other);
    }
}
