use churnkey_integrator::{
    CancelAction, RequestContext, Result,
    actions::{CancelFeatures, CancelRequest, Schedules},
    async_trait,
};

struct Shop;

#[async_trait]
impl CancelAction for Shop {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Ok(())
    }
}

fn main() {}
