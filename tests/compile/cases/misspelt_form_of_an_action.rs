use churnkey_integrator::{
    CancelAction, RequestContext, Result,
    actions::{CancelAllRequest, CancelFeatures, CancelRequest, Schedules},
    controller,
};

struct Shop;

#[controller]
impl CancelAction for Shop {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Ok(())
    }

    async fn cancel_everything(&self, _: &RequestContext, _: &CancelAllRequest) -> Result<()> {
        Ok(())
    }
}

fn main() {}
