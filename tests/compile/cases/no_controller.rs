use churnkey_integrator::controller;

struct Shop;

#[controller]
impl Shop {
    async fn retrieve(&self) {}
}

fn main() {}
